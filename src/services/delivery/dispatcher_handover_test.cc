#include <algorithm>

#include <gtest/gtest.h>

#include "services/delivery/dispatcher_test_world.h"

namespace tapal::delivery {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using World = DispatcherTestWorld;

TEST(Dispatcher, tries_a_program_again_after_a_restart_until_it_takes_the_mail) {
  World w;
  w.programs.answer = [](const FakePrograms::Run&) { return ProgramEnd{.exit_code = 75}; };
  w.start();
  const auto id = w.submit(
      {.to = {"u@own.example"}, .handover = {mail::Handover::Kind::program, {}, {"/bin/mailer"}}});
  w.loop.run_for(seconds(1));
  EXPECT_EQ(w.dispatcher->why(w.dispatcher->find(id).value()).at(0).destination,
            "program /bin/mailer");
  w.stop(seconds(1));
  w.programs.answer = {};
  w.start();
  w.loop.run_for(minutes(30));
  EXPECT_EQ(w.programs.runs.size(), 2U);
  EXPECT_EQ(w.programs.runs.back().arguments, std::vector<std::string>{"/bin/mailer"});
  EXPECT_EQ(w.store.memory.size(), 0U);
}

TEST(Dispatcher, tells_the_sender_what_the_program_said) {
  World w;
  w.programs.answer = [](const FakePrograms::Run&) {
    return ProgramEnd{.exit_code = 67, .error_output = "ann moved away\n"};
  };
  w.start();
  w.submit(
      {.to = {"u@own.example"}, .handover = {mail::Handover::Kind::program, {}, {"/bin/mailer"}}});
  w.loop.run_for(seconds(1));
  EXPECT_TRUE(w.notice_text().contains("ann moved away")) << w.notice_text();
  EXPECT_TRUE(w.notice_text().contains("Status: 5.1.1"));
}

TEST(Dispatcher, limits_a_program_s_mail_like_that_of_one_destination) {
  World w;
  w.limits.attempts_per_site_max = 1;
  std::size_t most = 0;
  w.programs.answer = [&](const FakePrograms::Run&) {
    most = std::max(most, w.dispatcher->counts().attempts);
    return ProgramEnd{};
  };
  w.start();
  for (int i = 0; i < 5; ++i)
    w.submit({.to = {"u@own.example"},
              .handover = {mail::Handover::Kind::program, {}, {"/bin/mailer", std::to_string(i)}}});
  w.loop.run_for(seconds(1));
  EXPECT_EQ(w.programs.runs.size(), 5U);
  EXPECT_EQ(most, 1U);
}

TEST(Dispatcher, tells_a_sender_where_its_address_leads) {
  World w;
  w.peer("far.example", "9.9.9.1").plan.recipient = no_such_user;
  auto& other = w.peer("other.example", "9.9.9.2");
  w.notices_go_to = {{.address = {"me", "other.example"}}, {.address = {"b", "own.example"}}};
  w.start();
  w.submit({"x@far.example"});
  w.loop.run_for(std::chrono::seconds(10));
  EXPECT_TRUE(w.notices().empty());
  EXPECT_EQ(w.mailbox.kept["b@own.example"].size(), 1U);
  ASSERT_EQ(other.mails.size(), 1U);
  EXPECT_EQ(other.mails[0].envelope.recipients[0].address.text(), "me@other.example");
  EXPECT_FALSE(other.mails[0].envelope.return_path);
}

}  // namespace
}  // namespace tapal::delivery
