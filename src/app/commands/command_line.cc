// argv to commands, by CLI11.
#include <algorithm>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "app/backup/committed_command.h"
#include "app/commands/commands.h"
#include "app/commands/facts.h"
#include "app/sendmail/sendmail.h"
#include "app/settings/settings.h"
#include "values/text/ascii.h"

namespace tapal::app {
namespace {

// Every command, and what argv says of all of them.
struct CommandTree {
  CLI::App app{"tapal: a mail sending server for your own domain", "tapal"};
  std::string config;
  bool json = false;
  CommandChoice choice{{}, &run_and_commit};

  CommandTree() {
    app.require_subcommand(1);
    app.fallthrough();
    app.add_option(
        "--config", config, "the configuration folder; default $TAPAL_CONFIG, else /etc/tapal");
    app.add_flag("--json", json, "print data as JSON");
    app.footer(
        "Exit codes: 0 done, 1 failed or the answer is no, 2 wrong usage, 3 no server is running "
        "to ask.");
    const Command tapal(app, choice);
    for (const auto declare :
         {&declare_up,        &declare_serve,  &declare_status,  &declare_demo,
          &declare_init,      &declare_import, &declare_user,    &declare_alias,
          &declare_srs,       &declare_dkim,   &declare_cert,    &declare_forward,
          &declare_dmarc,     &declare_dns,    &declare_address, &declare_spf,
          &declare_arc,       &declare_gmail,  &declare_doctor,  &declare_send,
          &declare_sendmail,  &declare_queue,  &declare_sources, &declare_filter,
          &declare_providers, &declare_bounce, &declare_backup,  &declare_restore,
          &declare_config,    &declare_manual})
      declare(tapal);
  }
};

// What a check on an option allows, from its type as CLI11 tells it: "TEXT:{bash,zsh,fish}".
std::vector<std::string> choices_of(const CLI::Option& option) {
  const auto type = option.get_type_name();
  const auto begin = type.find('{');
  const auto end = type.find('}', begin);
  if (end == std::string::npos) return {};
  std::vector<std::string> choices;
  for (const auto choice : text::split(type.substr(begin + 1, end - begin - 1), ','))
    choices.emplace_back(choice);
  return choices;
}

CommandFacts facts_of(const CLI::App& place, const std::string& above) {
  constexpr std::string_view example_head = "Example:\n  tapal ";
  CommandFacts facts{above + place.get_name(), place.get_description(), {}, {}, {}};
  if (const auto footer = place.get_footer(); footer.starts_with(example_head))
    facts.example = footer.substr(example_head.size());
  for (const auto* option : place.get_options()) {
    const auto name = option->get_name();
    if (above.empty() || name.contains("--help")) continue;  // those of all commands
    facts.arguments.push_back({name,
                               option->get_description(),
                               choices_of(*option),
                               option->get_items_expected_max() == 0,
                               option->get_required()});
  }
  const auto all = [](const CLI::App*) { return true; };
  for (const auto* command : place.get_subcommands(all))
    facts.commands.push_back(facts_of(*command, facts.name + " "));
  return facts;
}

}  // namespace

int run_command_line(int argc, const char* const* argv) {
  // Also as `tapal sendmail`, which is a program's name more than a command's.
  const bool wants_help = argc == 3 && std::string_view(argv[2]) == "--help";
  for (int i = 0; i < std::min(argc, wants_help ? 1 : 2); ++i)
    if (const auto mode = sendmail_mode_of(argv[i]))
      return run_sendmail(
          {config_folder_path({}), Output::text}, *mode, {argv + i + 1, argv + argc});
  CommandTree tree;
  try {
    tree.app.parse(argc, argv);
  } catch (const CLI::RequiredError& error) {
    const auto unknown = tree.app.remaining(true);
    if (unknown.empty()) return tree.app.exit(error) == 0 ? exit_done : exit_usage;
    fmt::print(stderr,
               "tapal: unknown command \"{}\"\nRun with --help for more information.\n",
               unknown.front());
    return exit_usage;
  } catch (const CLI::ParseError& error) {
    return tree.app.exit(error) == 0 ? exit_done : exit_usage;
  }
  return tree.choice.chosen(
      {config_folder_path(tree.config), tree.json ? Output::json : Output::text});
}

CommandFacts command_facts() {
  const CommandTree tree;
  return facts_of(tree.app, "");
}

}  // namespace tapal::app
