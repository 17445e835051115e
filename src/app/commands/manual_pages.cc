// What the package is built with: manual pages and completions, from the table of commands.
#include <fmt/format.h>

#include "app/commands/commands.h"
#include "app/commands/facts.h"

namespace tapal::app {
namespace {

int run_manual(const CommonOptions& /*common*/, const std::string& name) {
  const auto facts = command_facts();
  if (name.empty()) {
    for (const auto& page : manual_page_names(facts)) fmt::print("{}\n", page);
    return exit_done;
  }
  const auto page = manual_page(facts, name);
  if (page.empty()) return tell({Code::not_found, "no such page: `tapal manual` lists them"});
  fmt::print("{}", page);
  return exit_done;
}

int run_completion(const CommonOptions& /*common*/, const std::string& shell) {
  fmt::print("{}", completion_script(command_facts(), shell));
  return exit_done;
}

}  // namespace

void declare_manual(const Command& tapal) {
  const auto manual = tapal.add(
      "manual", "print a manual page for scdoc(1), or the names of all", "manual tapal-queue.1");
  auto name = std::make_shared<std::string>();
  manual.text({"page", "its name; default: list them"}, *name);
  manual.runs([name](const auto& common) { return run_manual(common, *name); });

  const auto completion =
      tapal.add("completion", "print the completions for a shell", "completion bash");
  auto shell = std::make_shared<std::string>();
  completion.text(
      {.name = "shell", .help = "the shell", .required = true, .choices = {"bash", "zsh", "fish"}},
      *shell);
  completion.runs([shell](const auto& common) { return run_completion(common, *shell); });
}

}  // namespace tapal::app
