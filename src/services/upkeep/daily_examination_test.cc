#include "services/upkeep/daily_examination.h"

#include <map>

#include <gtest/gtest.h>

#include "ports/test_fakes.h"
#include "ports/test_loop.h"

namespace tapal::upkeep {
namespace {

using provision::Finding;
using provision::Severity;
using enum provision::Severity;

struct Letter {
  std::string domain;
  std::string subject;
  std::string text;
};

class Daily : public testing::Test {
 protected:
  DailyExaminationWorld world() {
    return {.loop = loop,
            .log = log,
            .domains = [] { return std::vector<std::string>{"123.example"}; },
            .look = [this](std::string) { return look(); },
            .load = [this](const std::string& domain) { return kept[domain]; },
            .save = [this](const std::string& domain, std::string text) -> Result<void> {
              kept[domain] = std::move(text);
              return {};
            },
            .tell =
                [this](std::string domain, std::string subject, std::string text) {
                  return tell({std::move(domain), std::move(subject), std::move(text)});
                }};
  }
  Task<Result<std::vector<Finding>>> look() {
    ++looks;
    co_return findings;
  }
  Task<Result<void>> tell(Letter one) {
    if (!can_tell) co_return fail(Code::full, "no room");
    letters.push_back(std::move(one));
    co_return Result<void>();
  }
  void look_once() {
    DailyExamination daily(world());
    EXPECT_TRUE(loop.wait(daily.look_once()));
  }
  static Finding finding(Severity severity, std::string subject = "192.0.2.1") {
    return {"spf.egress", std::move(subject), severity, "fail", "pass", "publish: this\nor that"};
  }

  VirtualLoop loop;
  RecordingLog log;
  std::vector<Finding> findings;
  std::map<std::string, std::string> kept;
  std::vector<Letter> letters;
  std::size_t looks = 0;
  bool can_tell = true;
};

TEST_F(Daily, tells_the_owner_once_what_got_worse) {
  findings = {finding(ok)};
  look_once();
  EXPECT_TRUE(letters.empty());
  findings = {finding(error)};
  look_once();
  look_once();
  ASSERT_EQ(letters.size(), 1U);
  EXPECT_EQ(letters[0].subject, "123.example: 1 things got worse");
  EXPECT_NE(letters[0].text.find("spf.egress, 192.0.2.1: fail"), std::string::npos);
  EXPECT_NE(letters[0].text.find("    or that\n"), std::string::npos);
  EXPECT_EQ(log.count("the doctor found something worse"), 1U);
}

TEST_F(Daily, only_logs_what_got_better) {
  findings = {finding(error)};
  look_once();
  letters.clear();
  findings = {finding(ok)};
  look_once();
  EXPECT_TRUE(letters.empty());
  EXPECT_EQ(log.count("the doctor found something mended"), 1U);
  look_once();
  EXPECT_EQ(log.count("the doctor found something mended"), 1U);
}

TEST_F(Daily, does_not_call_it_mended_when_a_check_said_nothing) {
  findings = {finding(error)};
  look_once();
  findings = {{"mx.record", "123.example", ok, "fine"}};
  look_once();
  EXPECT_EQ(log.count("the doctor found something mended"), 0U);
}

TEST_F(Daily, tells_of_a_warning_that_became_an_error_and_of_a_new_subject) {
  findings = {finding(warning)};
  look_once();
  findings = {finding(error)};
  look_once();
  findings = {finding(error), finding(warning, "2001:db8::1")};
  look_once();
  EXPECT_EQ(letters.size(), 3U);
  findings = {finding(warning), finding(info, "2001:db8::1")};
  look_once();
  EXPECT_EQ(letters.size(), 3U);
}

TEST_F(Daily, tells_again_what_could_not_be_told) {
  findings = {finding(error)};
  can_tell = false;
  look_once();
  can_tell = true;
  look_once();
  EXPECT_EQ(letters.size(), 1U);
}

TEST_F(Daily, looks_each_day_until_it_is_stopped) {
  DailyExamination daily(world());
  TaskGroup tasks;
  tasks.spawn(daily.run());
  loop.run_for(std::chrono::minutes(5));
  EXPECT_EQ(looks, 0U);
  loop.run_for(std::chrono::hours(24 * 3));
  EXPECT_EQ(looks, 3U);
  daily.stop();
  loop.run_for(std::chrono::hours(48));
  EXPECT_EQ(looks, 3U);
  EXPECT_EQ(tasks.running(), 0U);
}

TEST(Remembered, survives_its_text) {
  const std::vector<Finding> findings{{"spf.egress", "192.0.2.1", warning, "x"},
                                      {"spf.egress", "192.0.2.1", error, "y"},
                                      {"host.name", "with spaces in it", ok, "z"}};
  const auto kept = provision::remember(findings);
  EXPECT_EQ(kept.size(), 2U);
  EXPECT_EQ(provision::remembered_from_text(provision::to_text(kept)), kept);
  EXPECT_TRUE(provision::remembered_from_text("what\nis this\n\n").empty());
}

}  // namespace
}  // namespace tapal::upkeep
