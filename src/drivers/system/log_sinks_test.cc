#include "drivers/system/log_sinks.h"

#include <array>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "drivers/system/test_pipe.h"

namespace tapal {
namespace {

constexpr WallTime third{std::chrono::milliseconds(1'795'316'645'678)};
constexpr const char* third_text = "2026-11-22T03:04:05.678Z";

struct StillClock final : Clock {
  Instant now() const override { return {}; }
  WallTime wall_now() const override { return third; }
};
const StillClock clock_;

TEST(TextLine, holds_time_level_event_and_fields) {
  EXPECT_EQ(
      text_line(&third,
                Level::info,
                "message accepted",
                {{"queue_id", "01J"}, {"from", "<ann@example.org>"}}),
      std::string(third_text) + " info    message accepted queue_id=01J from=<ann@example.org>");
  EXPECT_EQ(text_line(nullptr, Level::debug, "begun", {}), "debug   begun");
  EXPECT_EQ(text_line(nullptr, Level::warning, "slow", {}), "warning slow");
  EXPECT_EQ(text_line(nullptr, Level::error, "broken", {}), "error   broken");
}

TEST(TextLine, quotes_and_escapes_what_needs_it) {
  struct Case {
    const char* name;
    std::string value;
    std::string shown;
  };
  const Case cases[] = {
      {"plain", "250", "250"},
      {"space", "250 OK", "\"250 OK\""},
      {"equals sign", "a=b", "\"a=b\""},
      {"quote", "say \"x\"", R"("say \"x\"")"},
      {"backslash", R"(a\b)", R"(a\\b)"},
      {"backslash before a quote", R"(a\" from=x)", R"("a\\\" from=x")"},
      {"a forged line", "x\nerror   hacked", R"("x\x0Aerror   hacked")"},
      {"escape sequence", "\x1B[31mred", R"(\x1B[31mred)"},
      {"zero and delete", std::string("a\0b\x7F", 4), R"(a\x00b\x7F)"},
      {"UTF-8", "grüße", "grüße"},
      {"broken UTF-8", "a\xFFz", R"(a\xFFz)"},
  };
  for (const auto& [name, value, shown] : cases)
    EXPECT_EQ(text_line(nullptr, Level::info, "event", {{"f", value}}), "info    event f=" + shown)
        << name;
  EXPECT_EQ(text_line(nullptr, Level::info, "two\nlines", {}), R"(info    two\x0Alines)");
}

TEST(TextLine, leaves_out_empty_fields_and_cuts_long_ones) {
  const std::string longest(log_value_bytes_max, 'x');
  EXPECT_EQ(text_line(nullptr, Level::info, "e", {{"a", ""}, {"b", longest}}),
            "info    e b=" + longest);
  EXPECT_EQ(text_line(nullptr, Level::info, "e", {{"b", longest + "x"}}),
            "info    e b=" + longest.substr(3) + "...");
}

TEST(JsonLine, says_the_same_as_json) {
  EXPECT_EQ(json_line(third, Level::info, "message accepted", {{"queue_id", "01J"}}),
            R"({"time":"2026-11-22T03:04:05.678Z","level":"info",)"
            R"("event":"message accepted","queue_id":"01J"})");
  EXPECT_EQ(json_line(third, Level::error, "e", {{"empty", ""}}),
            R"({"time":"2026-11-22T03:04:05.678Z","level":"error","event":"e"})");
}

TEST(JsonLine, is_one_line_of_json_whatever_the_values) {
  std::string all_bytes;
  for (int i = 0; i < 256; ++i) all_bytes += static_cast<char>(i);
  for (const std::string& value : {all_bytes,
                                   std::string("\"},\n{\"level\":\"error\""),
                                   std::string(100'000, '"'),
                                   std::string("grüße")}) {
    const auto line = json_line(third, Level::warning, value, {{"f", value}});
    EXPECT_EQ(line.find('\n'), std::string::npos);
    boost::json::error_code error;
    const auto parsed = boost::json::parse(line, error);
    ASSERT_FALSE(error) << error.message();
    EXPECT_EQ(parsed.at("level"), "warning");
    EXPECT_EQ(parsed.as_object().size(), 4U);
    EXPECT_LE(parsed.at("f").as_string().size(), log_value_bytes_max);
  }
  const auto parsed = boost::json::parse(json_line(third, Level::info, "e", {{"f", "say \"ü\""}}));
  EXPECT_EQ(parsed.at("f"), "say \"ü\"");
}

TEST(TextLog, begins_lines_as_told) {
  struct Case {
    LineStart start;
    std::string expected;
  };
  for (const auto& [start, expected] :
       {Case{LineStart::time, std::string(third_text) + " warning slow peer=x\n"},
        {LineStart::no_time, "warning slow peer=x\n"},
        {LineStart::priority, "<4>warning slow peer=x\n"}}) {
    TestPipe pipe;
    TextLog(pipe.in, clock_, Level::debug, start).write(Level::warning, "slow", {{"peer", "x"}});
    EXPECT_EQ(pipe.text(), expected);
  }
}

TEST(TextLog, gives_systemd_the_priority_of_each_level) {
  TestPipe pipe;
  {
    TextLog log(pipe.in, clock_, Level::debug, LineStart::priority);
    for (const auto level : {Level::debug, Level::info, Level::warning, Level::error})
      log.write(level, "e");
  }
  EXPECT_EQ(pipe.text(), "<7>debug   e\n<6>info    e\n<4>warning e\n<3>error   e\n");
}

TEST(Logs, leave_out_what_is_under_their_least_level) {
  TestPipe text, json;
  {
    TextLog text_log(text.in, clock_, Level::warning, LineStart::no_time);
    JsonLog json_log(json.in, clock_, Level::error);
    for (const auto level : {Level::debug, Level::info, Level::warning, Level::error}) {
      text_log.write(level, "e");
      json_log.write(level, "e");
    }
  }
  EXPECT_EQ(text.text(), "warning e\nerror   e\n");
  EXPECT_EQ(json.text(),
            fmt::format(R"({{"time":"{}","level":"error","event":"e"}})", third_text) + "\n");
}

TEST(TextLog, keeps_the_lines_of_several_threads_apart) {
  TestPipe pipe;
  {
    TextLog log(pipe.in, clock_, Level::info, LineStart::no_time);
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 4; ++thread)
      threads.emplace_back([&log, thread] {
        for (int i = 0; i < 100; ++i)
          log.write(Level::info, "e", {{"f", std::string(100, static_cast<char>('a' + thread))}});
      });
  }
  const auto text = pipe.text();
  const std::size_t line_bytes = std::string_view("info    e f=\n").size() + 100;
  ASSERT_EQ(text.size(), 400 * line_bytes);
  for (std::size_t at = 0; at < text.size(); at += line_bytes) {
    const auto line = text.substr(at, line_bytes);
    EXPECT_EQ(line, "info    e f=" + std::string(100, line[12]) + "\n");
  }
}

TEST(TextLog, does_not_mind_that_nobody_reads) {
  TextLog log(-1, clock_, Level::info);
  log.write(Level::error, "lost");
  TestPipe pipe;
  TextLog(pipe.in, clock_, Level::info, LineStart::no_time).write(Level::info, "kept");
  EXPECT_EQ(pipe.text(), "info    kept\n");
}

TEST(Journal, is_known_by_device_and_inode) {
  const TestPipe pipe;
  struct stat status{};
  ASSERT_EQ(::fstat(pipe.in, &status), 0);
  const auto own = fmt::format("{}:{}", status.st_dev, status.st_ino);
  ::unsetenv("JOURNAL_STREAM");
  EXPECT_FALSE(is_journal_stream(pipe.in));
  ::setenv("JOURNAL_STREAM", own.c_str(), 1);
  EXPECT_TRUE(is_journal_stream(pipe.in));
  EXPECT_FALSE(is_journal_stream(STDERR_FILENO));
  EXPECT_FALSE(is_journal_stream(-1));
  ::setenv("JOURNAL_STREAM", (own + "0").c_str(), 1);
  EXPECT_FALSE(is_journal_stream(pipe.in));
  ::unsetenv("JOURNAL_STREAM");
}

TEST(DefaultLog, is_text_without_a_journal) {
  ::unsetenv("JOURNAL_STREAM");
  const auto log = default_log(clock_, Level::info);
  EXPECT_NE(dynamic_cast<TextLog*>(log.get()), nullptr);
}

}  // namespace
}  // namespace tapal
