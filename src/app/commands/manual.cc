// Manual pages, for scdoc.
#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "app/commands/facts.h"
#include "app/settings/scdoc.h"
#include "app/settings/settings.h"

namespace tapal::app {
namespace {

constexpr std::string_view manual_ending = R"(
# EXIT STATUS

*0*
	done, or the answer is yes
*1*
	it failed, or the answer is no
*2*
	wrong usage
*3*
	no server is running to ask

# FILES

_/etc/tapal_
	the configuration: *tapal.toml*(5), *tapal-users*(5), *tapal-aliases*(5), keys and certificates
_/var/lib/tapal_
	the queue and the mailboxes
_/var/spool/tapal_
	where *sendmail*(8) leaves mail for the server
)";

constexpr std::string_view common_options = R"(
*--config* _folder_
	the configuration folder; default $TAPAL_CONFIG, else /etc/tapal
*--json*
	print data as JSON
*--help*
	print help
)";

constexpr std::string_view introduction = R"(
tapal takes mail from your programs and users, signs it, keeps it on disk before it says yes, and delivers it. It takes
mail for your own domains and forwards what aliases lead elsewhere. *tapal up* sets up a domain from nothing to proven
delivery; *tapal status* shows how the service is; *tapal why* tells where a message is.
)";

std::string page_of(const CommandFacts& command) {
  auto name = command.name;
  std::ranges::replace(name, ' ', '-');
  return name;
}

std::string shown(const ArgumentFacts& argument) {
  if (argument.is_positional()) return fmt::format("_{}_", scdoc_text(argument.name));
  auto option = fmt::format("*{}*", scdoc_text(argument.name));
  if (argument.is_flag) return option;
  return fmt::format("{} _{}_", option, scdoc_text(argument.name.substr(2)));
}

std::string usage(const CommandFacts& command) {
  auto line = fmt::format("*{}*", scdoc_text(command.name));
  for (const auto& argument : command.arguments)
    line += argument.is_required ? " " + shown(argument) : fmt::format(" [{}]", shown(argument));
  if (!command.commands.empty()) line += " _command_";
  return line;
}

void append_command(const CommandFacts& command, std::string& page) {
  for (const auto& one : command.commands) append_command(one, page);
  if (!command.commands.empty()) return;
  page +=
      fmt::format("\n## {}\n\n{}\n\n{}.\n", command.name, usage(command), scdoc_text(command.help));
  if (!command.arguments.empty()) page += "\n";
  for (const auto& argument : command.arguments) {
    page += fmt::format("{}\n\t{}", shown(argument), scdoc_text(argument.help));
    if (!argument.choices.empty())
      page +=
          fmt::format(" ({})", scdoc_text(fmt::format("{}", fmt::join(argument.choices, ", "))));
    page += "\n";
  }
  page += fmt::format("\nExample:\n\n```\ntapal {}\n```\n", command.example);
}

std::string head(const std::string& page, const std::string& section, std::string_view what) {
  return fmt::format("{}({}) \"tapal {}\" \"tapal\"\n\n# NAME\n\n{} - {}\n",
                     page,
                     section,
                     TAPAL_VERSION,
                     page,
                     scdoc_text(what));
}

std::string main_page(const CommandFacts& tapal) {
  auto page = head("tapal", "1", tapal.help);
  page += "\n# SYNOPSIS\n\n*tapal* [_options_] _command_\n\n# DESCRIPTION\n";
  page += introduction;
  page += "\n# OPTIONS\n";
  page += common_options;
  page += "\n# COMMANDS\n\n";
  for (const auto& command : tapal.commands)
    page += fmt::format("*{}*(1)\n\t{}\n", page_of(command), scdoc_text(command.help));
  page += manual_ending;
  page += "\n# SEE ALSO\n\n*tapal.toml*(5), *tapal-users*(5), *tapal-aliases*(5), *sendmail*(8)\n";
  return page;
}

std::string command_page(const CommandFacts& command) {
  auto page = head(page_of(command), "1", command.help);
  page += fmt::format("\n# SYNOPSIS\n\n{}\n\n# COMMANDS\n", usage(command));
  append_command(command, page);
  page += "\n# OPTIONS\n";
  page += common_options;
  page += manual_ending;
  page += "\n# SEE ALSO\n\n*tapal*(1), *tapal.toml*(5)\n";
  return page;
}

}  // namespace

std::vector<std::string> manual_page_names(const CommandFacts& tapal) {
  std::vector<std::string> names{"tapal.1", "tapal.toml.5"};
  for (const auto& command : tapal.commands) names.push_back(page_of(command) + ".1");
  return names;
}

std::string manual_page(const CommandFacts& tapal, const std::string& name) {
  if (name == "tapal.1") return main_page(tapal);
  if (name == "tapal.toml.5")
    return head("tapal.toml", "5", "settings of the mail server tapal") + settings_manual();
  for (const auto& command : tapal.commands)
    if (name == page_of(command) + ".1") return command_page(command);
  return {};
}

}  // namespace tapal::app
