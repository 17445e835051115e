#include "app/cli/command.h"

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/result.h"

namespace tapal::app {
namespace {

void apply(CLI::Option& option, const Argument& argument) {
  if (argument.required) option.required();
  if (!argument.environment.empty()) option.envname(argument.environment);
  if (!argument.choices.empty()) option.check(CLI::IsMember(argument.choices));
}

}  // namespace

int tell(const Error& error) {
  fmt::print(stderr, "tapal: {}\n", error.what);
  return exit_failed;
}

void print_json(const boost::json::object& answer) {
  fmt::print("{}\n", boost::json::serialize(answer));
}

boost::json::array json_list(const std::vector<std::string>& texts) {
  return boost::json::array(texts.begin(), texts.end());
}

Command Command::add(const std::string& name,
                     const std::string& help,
                     const std::string& example) const {
  auto* command = place_->add_subcommand(name, help);
  command->footer("Example:\n  tapal " + example);
  return {*command, *choice_};
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
  place_->callback([choice = choice_, run = std::move(run)] { choice->chosen = run; });
}

// The message of the backup's commit is the command's name alone: arguments may be secret.
void Command::changes(Run run) const {
  std::string name;
  for (const auto* at = place_; at != nullptr; at = at->get_parent())
    name.insert(0, at->get_name() + (name.empty() ? "" : " "));
  runs([choice = choice_, name = std::move(name), run = std::move(run)](const auto& common) {
    return choice->run_and_commit(common, name, run);
  });
}

}  // namespace tapal::app
