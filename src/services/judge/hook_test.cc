#include "services/judge/hook.h"

#include "services/judge/test_mail.h"

namespace tapal::judge {
namespace {

using Kind = mail::HeaderEdit::Kind;

TEST(HookCommand, is_a_path_and_words) {
  EXPECT_EQ(HookCommand::from_text(" /bin/x  -a b ")->arguments,
            (std::vector<std::string>{"/bin/x", "-a", "b"}));
  EXPECT_EQ(HookCommand::from_text("/bin/x -a b")->text(), "/bin/x -a b");
  EXPECT_FALSE(HookCommand::from_text(""));
  EXPECT_FALSE(HookCommand::from_text("x -a"));
}

struct EndCase {
  const char* name;
  ProgramEnd end;
  Action action;
  const char* reply;
  const char* reason;
};

TEST(HookOpinion, follows_the_exit_code) {
  const std::vector<EndCase> cases = {
      {"accept", {.exit_code = 0}, Action::accept, "000", ""},
      {"refuse",
       {.exit_code = 20, .output = "first\nspam found\n"},
       Action::refuse,
       "554 5.7.1 spam found",
       "spam found"},
      {"standard error counts first",
       {.exit_code = 20, .output = "out", .error_output = "a\r\nb\r\n\n"},
       Action::refuse,
       "554 5.7.1 b",
       "b"},
      {"no words", {.exit_code = 20}, Action::refuse, "554 5.7.1 refused", "refused"},
      {"control characters",
       {.exit_code = 20, .output = "a\x01\r\t"},
       Action::refuse,
       "554 5.7.1 a?",
       "a?"},
      {"defer", {.exit_code = 75, .output = "later"}, Action::defer, "451 4.7.1 later", "later"},
      {"keep aside", {.exit_code = 21, .output = "odd"}, Action::keep_aside, "000", "odd"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    const auto opinion = hook_opinion(c.end);
    ASSERT_TRUE(opinion) << opinion.error().what;
    EXPECT_EQ(opinion->action, c.action);
    if (opinion->reply.code != 0) EXPECT_EQ(smtp::one_line(opinion->reply), c.reply);
    EXPECT_EQ(opinion->reason, c.reason);
  }
}

TEST(HookOpinion, is_none_when_the_hook_is_broken) {
  const std::vector<std::pair<ProgramEnd, std::string>> cases = {
      {{.exit_code = 1, .error_output = "oops"}, "exit code 1: oops"},
      {{.exit_code = 127}, "exit code 127: no output"},
      {{.exit_code = -1, .signal = 11}, "signal 11 ended it"},
      {{.exit_code = -1, .signal = 9, .timed_out = true}, "it took too long"},
      {{.exit_code = 0, .output = "all is well\n"},
       "it prints \"all is well\": expected up to 50 header fields, \"Name: value\""},
  };
  for (const auto& [end, what] : cases) {
    SCOPED_TRACE(what);
    const auto opinion = hook_opinion(end);
    ASSERT_FALSE(opinion);
    EXPECT_EQ(opinion.error().what, what);
  }
  std::string many;
  for (int i = 0; i < 51; ++i) many += "X: y\n";
  EXPECT_FALSE(hook_opinion({.exit_code = 0, .output = many}));
}

TEST(HookOpinion, puts_printed_fields_on_top_in_their_order) {
  const auto opinion = hook_opinion({.exit_code = 0, .output = "X-A: 1\r\n\nX-B: 2\n\tmore\n"});
  ASSERT_TRUE(opinion);
  EXPECT_EQ(mail::edit_header("From: a\r\n", opinion->edits),
            "X-A: 1\r\nX-B: 2\r\n\tmore\r\nFrom: a\r\n");
}

struct FakePrograms final : Programs {
  Task<Result<ProgramEnd>> run(Loop& loop, ProgramRun given) override {
    co_await switch_to(loop);
    runs.push_back(std::move(given));
    co_return end;
  }
  std::vector<ProgramRun> runs;
  Result<ProgramEnd> end = ProgramEnd{};
};

TEST(Hook, gives_the_program_the_message_and_the_facts) {
  VirtualLoop loop;
  FakePrograms programs;
  Hook hook({{"/bin/x", "a"}}, std::chrono::seconds(7), loop, programs);
  auto mail = test_mail();
  mail.helo = "he\nlo\x01";
  mail.tls_version = "TLSv1.3";
  mail.user = "ann@rcpt.example";
  mail.spf_domain = "sender.example";
  EXPECT_EQ(hook.name(), "hook /bin/x");
  ASSERT_TRUE(loop.wait(hook.look_at(mail)).value());
  ASSERT_EQ(programs.runs.size(), 1U);
  const auto& run = programs.runs[0];
  EXPECT_EQ(run.arguments, (std::vector<std::string>{"/bin/x", "a"}));
  EXPECT_EQ(run.input, "From: ann\r\nSubject: hi\r\n\r\n");
  EXPECT_EQ(text_of(run.more_input), "Hello\r\n");
  EXPECT_EQ(run.time_max, std::chrono::seconds(7));
  const std::vector<std::string> environment = {
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      "REMOTE_ADDR=8.8.4.4",
      "REMOTE_NAME=",
      "EHLO_DOMAIN=he?lo?",
      "MAIL_FROM=ann@sender.example",
      "RCPT_TO=bob@rcpt.example eve@rcpt.example",
      "AUTH_AS=ann@rcpt.example",
      "ON_TLS=1",
      "TLS_VERSION=TLSv1.3",
      "SPF_PASS=1",
      "QUEUE_ID=0000000000001"};
  EXPECT_EQ(run.environment, environment);
}

TEST(Hook, is_down_when_the_program_cannot_run) {
  VirtualLoop loop;
  FakePrograms programs;
  programs.end = fail(Code::not_found, "no such program");
  Hook hook({{"/bin/x"}}, std::chrono::seconds(7), loop, programs);
  const auto mail = test_mail();
  EXPECT_EQ(loop.wait(hook.look_at(mail)).value().error().what, "no such program");
}

}  // namespace
}  // namespace tapal::judge
