#include "app/commands/facts.h"

#include <gtest/gtest.h>

namespace tapal::app {
namespace {

CommandFacts example() {
  const ArgumentFacts limit{.name = "--limit", .help = "at most *this* many", .choices = {}};
  const ArgumentFacts shell{
      .name = "shell", .help = "the shell", .choices = {"bash", "zsh"}, .is_required = true};
  CommandFacts list{"tapal queue list", "list_messages", "queue list --limit 20", {limit}, {}};
  CommandFacts queue{"tapal queue", "what waits", "queue list", {}, {list}};
  CommandFacts completion{"tapal completion", "it's for shells", "completion bash", {shell}, {}};
  return {"tapal", "a server", "", {}, {queue, completion}};
}

TEST(ManualPage, has_every_command_below_it_with_its_arguments) {
  EXPECT_EQ(
      manual_page_names(example()),
      (std::vector<std::string>{"tapal.1", "tapal.toml.5", "tapal-queue.1", "tapal-completion.1"}));
  const auto page = manual_page(example(), "tapal-queue.1");
  for (const std::string_view part : {"tapal-queue(1)",
                                      "## tapal queue list\n",
                                      "*tapal queue list* [*--limit* _limit_]",
                                      "list\\_messages.",
                                      "at most \\*this\\* many",
                                      "tapal queue list --limit 20"})
    EXPECT_TRUE(page.contains(part)) << part << "\n" << page;
  EXPECT_TRUE(manual_page(example(), "tapal.1").contains("*tapal-queue*(1)"));
  EXPECT_TRUE(manual_page(example(), "tapal.toml.5").contains("*queue.give\\_up*"));
  EXPECT_EQ(manual_page(example(), "tapal-nothing.1"), "");
}

TEST(CompletionScript, offers_commands_options_and_choices) {
  const struct {
    std::string shell;
    std::string_view part;
  } cases[] = {
      {"bash", "'tapal queue') offers='list "},
      {"bash", "'tapal queue list') offers='--limit "},
      {"bash", "'tapal completion') offers='bash zsh "},
      {"zsh", "#compdef tapal\n"},
      {"fish", "-n '__tapal_at tapal queue' -a 'list' -d 'list_messages'"},
      {"fish", "-n '__tapal_in tapal queue list' -l 'limit' -r"},
      {"fish", "-d 'its for shells'"},
  };
  for (const auto& [shell, part] : cases)
    EXPECT_TRUE(completion_script(example(), shell).contains(part))
        << part << "\n"
        << completion_script(example(), shell);
  EXPECT_EQ(completion_script(example(), "tcsh"), "");
}

}  // namespace
}  // namespace tapal::app
