// argv to commands, by CLI11. Its header is slow to compile: it is included here alone.
#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "app/commands.h"
#include "app/committed_command.h"
#include "app/settings.h"

namespace tapal::app {
namespace {

void apply(CLI::Option& option, const Argument& argument) {
  if (argument.required) option.required();
  if (!argument.environment.empty()) option.envname(argument.environment);
  if (!argument.choices.empty()) option.check(CLI::IsMember(argument.choices));
}

}  // namespace

Command Command::add(const std::string& name,
                     const std::string& help,
                     const std::string& example) const {
  auto* command = place_->add_subcommand(name, help);
  command->footer("Example:\n  tapal " + example);
  return {*command, *chosen_};
}

Command Command::add_group(const std::string& name,
                           const std::string& help,
                           const std::string& example) const {
  auto group = add(name, help, example);
  group.place_->require_subcommand(1);
  return group;
}

void Command::text(const Argument& argument, std::string& into) const {
  apply(*place_->add_option(argument.name, into, argument.help), argument);
}

void Command::texts(const Argument& argument, std::vector<std::string>& into) const {
  apply(*place_->add_option(argument.name, into, argument.help), argument);
}

void Command::number(const Argument& argument, NumberRange range, std::int64_t& into) const {
  auto* option = place_->add_option(argument.name, into, argument.help);
  option->check(CLI::Range(range.least, range.most));
  apply(*option, argument);
}

void Command::flag(const Argument& argument, bool& into) const {
  apply(*place_->add_flag(argument.name, into, argument.help), argument);
}

void Command::runs(Run run) const {
  place_->callback([chosen = chosen_, run = std::move(run)] { *chosen = run; });
}

// The message of the backup's commit is the command's name alone: arguments may be secret.
void Command::changes(Run run) const {
  std::string name;
  for (const auto* at = place_; at != nullptr; at = at->get_parent())
    name.insert(0, at->get_name() + (name.empty() ? "" : " "));
  runs([name = std::move(name), run = std::move(run)](const auto& common) {
    return run_and_commit(common, name, run);
  });
}

int run_command_line(int argc, const char* const* argv) {
  CLI::App app("tapal: a mail sending server for your own domain", "tapal");
  app.require_subcommand(1);
  app.fallthrough();
  std::string config;
  bool json = false;
  app.add_option(
      "--config", config, "the configuration folder; default $TAPAL_CONFIG, else /etc/tapal");
  app.add_flag("--json", json, "print data as JSON");
  app.footer(
      "Exit codes: 0 done, 1 failed or the answer is no, 2 wrong usage, 3 no server is running to "
      "ask.");
  Command::Run chosen;
  const Command tapal(app, chosen);
  for (const auto declare :
       {&declare_up,     &declare_serve,     &declare_demo,    &declare_init,   &declare_user,
        &declare_alias,  &declare_srs,       &declare_dkim,    &declare_cert,   &declare_forward,
        &declare_dmarc,  &declare_dns,       &declare_address, &declare_spf,    &declare_arc,
        &declare_gmail,  &declare_doctor,    &declare_send,    &declare_queue,  &declare_sources,
        &declare_filter, &declare_providers, &declare_bounce,  &declare_backup, &declare_config})
    declare(tapal);
  try {
    app.parse(argc, argv);
  } catch (const CLI::RequiredError& error) {
    const auto unknown = app.remaining(true);
    if (unknown.empty()) return app.exit(error) == 0 ? exit_done : exit_usage;
    fmt::print(stderr,
               "tapal: unknown command \"{}\"\nRun with --help for more information.\n",
               unknown.front());
    return exit_usage;
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? exit_done : exit_usage;
  }
  return chosen({config_folder_path(config), json ? Output::json : Output::text});
}

}  // namespace tapal::app
