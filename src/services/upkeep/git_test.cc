#include "services/upkeep/git.h"

#include <map>

#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include "ports/test_loop.h"

namespace tapal::upkeep {
namespace {

// Answers by the git command; what is not there succeeds without a word.
struct FakeGit final : Programs {
  std::map<std::string, ProgramEnd> answers;
  std::vector<std::string> asked;

  Task<Result<ProgramEnd>> run(Loop&, ProgramRun run) override {
    // Behind -C, the folder and settings.
    std::size_t at = 3;
    while (run.arguments.at(at) == "-c") at += 2;
    const std::vector<std::string> words(run.arguments.begin() + static_cast<std::ptrdiff_t>(at),
                                         run.arguments.end());
    asked.push_back(fmt::format("{}", fmt::join(words, " ")));
    const auto found = answers.find(words.front());
    co_return found == answers.end() ? ProgramEnd() : found->second;
  }
};

struct GitTest : testing::Test {
  VirtualLoop loop;
  FakeGit programs;
  Git git{{loop, programs, "/config", {}}};
};

TEST_F(GitTest, commits_only_what_is_new) {
  EXPECT_FALSE(loop.wait(git.commit("a message", {}))->value());
  EXPECT_EQ(programs.asked, (std::vector<std::string>{"add -A -- .", "diff --cached --quiet"}));
  programs.asked.clear();
  programs.answers["diff"].exit_code = 1;
  EXPECT_TRUE(loop.wait(git.commit("a message", {"staff"}))->value());
  EXPECT_EQ(programs.asked,
            (std::vector<std::string>{"add -A -- .",
                                      "add -f -- staff",
                                      "diff --cached --quiet",
                                      "commit -q --no-verify -m a message"}));
}

TEST_F(GitTest, tells_the_last_that_git_said) {
  programs.answers["push"] = {.exit_code = 128, .error_output = "hint: much\nfatal: no route\n"};
  const auto pushed = *loop.wait(git.push());
  ASSERT_FALSE(pushed);
  EXPECT_EQ(pushed.error().what, "git push: fatal: no route");
}

TEST_F(GitTest, gives_up_on_what_takes_too_long) {
  programs.answers["push"] = {.exit_code = -1, .timed_out = true};
  EXPECT_EQ(loop.wait(git.push())->error().code, Code::try_later);
}

TEST_F(GitTest, reads_names_with_spaces_and_line_ends) {
  using namespace std::string_literals;
  programs.answers["status"].output = " M a b\0?? c\nd\0D  taken out\0"s;
  EXPECT_EQ(loop.wait(git.changed())->value(), (std::vector<std::string>{"a b", "c\nd"}));
}

TEST_F(GitTest, knows_a_repository_without_commits) {
  programs.answers["log"].exit_code = 128;
  EXPECT_EQ(loop.wait(git.last())->value().hash, "");
}

TEST(WhyUnfitRemote, refuses_what_runs_a_program_or_tells_a_secret) {
  for (const auto* fit : {"git@git.example.org:me/mail.git",
                          "ssh://git@git.example.org:2222/mail.git",
                          "https://git.example.org/me/mail.git",
                          "/srv/git/mail.git",
                          "file:///srv/git/mail.git"})
    EXPECT_EQ(why_unfit_remote(fit), "") << fit;
  for (const auto* unfit : {"",
                            "--upload-pack=x",
                            "ext::sh -c x",
                            "https://me:secret@git.example.org/x",
                            "https://token@git.example.org/x",
                            "ssh://me:secret@git.example.org/x",
                            "a b"})
    EXPECT_NE(why_unfit_remote(unfit), "") << unfit;
}

}  // namespace
}  // namespace tapal::upkeep
