// Completions for shells. Each script has one table: a line a command, with what may follow it.
#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "app/commands/facts.h"

namespace tapal::app {
namespace {

// Every command with its way: "tapal", "tapal queue", "tapal queue list".
void collect(const CommandFacts& command, std::vector<const CommandFacts*>& into) {
  into.push_back(&command);
  for (const auto& one : command.commands) collect(one, into);
}

std::vector<const CommandFacts*> all_of(const CommandFacts& tapal) {
  std::vector<const CommandFacts*> all;
  collect(tapal, all);
  return all;
}

std::string last_word(const CommandFacts& command) {
  return command.name.substr(command.name.rfind(' ') + 1);
}

std::vector<std::string> words_after(const CommandFacts& command) {
  std::vector<std::string> words;
  words.reserve(command.commands.size());
  for (const auto& one : command.commands) words.push_back(last_word(one));
  for (const auto& argument : command.arguments) {
    if (argument.is_positional())
      words.insert(words.end(), argument.choices.begin(), argument.choices.end());
    else
      words.push_back(argument.name);
  }
  for (const auto* common : {"--config", "--json", "--help"}) words.emplace_back(common);
  return words;
}

// Within single quotes of any of the three.
std::string within_quotes(std::string_view text) {
  std::string out;
  for (const char c : text)
    if (c != '\'' && c != '\\') out += c;
  return out;
}

// Lines of a shell's `case`: for each command, the words that may follow.
std::string cases(const CommandFacts& tapal) {
  std::string lines;
  for (const auto* command : all_of(tapal))
    lines += fmt::format("    '{}') offers='{}' ;;\n",
                         command->name,
                         within_quotes(fmt::format("{}", fmt::join(words_after(*command), " "))));
  return lines;
}

// The longest command that the words begin with is what is being completed.
constexpr std::string_view bash_script =
    R"(# Completion of tapal for bash, from `tapal completion bash`.
_tapal_offers() {{
  case $1 in
{}    *) return 1 ;;
  esac
}}
_tapal() {{
  local command=tapal word offers i current=${{COMP_WORDS[COMP_CWORD]}}
  for ((i = 1; i < COMP_CWORD; ++i)); do
    word=${{COMP_WORDS[i]}}
    [[ $word != -* ]] && _tapal_offers "$command $word" && command+=" $word"
  done
  _tapal_offers "$command"
  case ${{COMP_WORDS[COMP_CWORD - 1]}} in
    --*-file | --*-folder | --config) mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
    *) mapfile -t COMPREPLY < <(compgen -W "$offers" -- "$current") ;;
  esac
}}
complete -o default -F _tapal tapal
)";

constexpr std::string_view zsh_script = R"(#compdef tapal
# Completion of tapal for zsh, from `tapal completion zsh`.
_tapal_offers() {{
  case $1 in
{}    *) return 1 ;;
  esac
}}
_tapal() {{
  local command=tapal word offers
  for word in "${{(@)words[2,CURRENT-1]}}"; do
    [[ $word != -* ]] && _tapal_offers "$command $word" && command+=" $word"
  done
  _tapal_offers "$command"
  compadd -- ${{=offers}}
  _files
}}
_tapal "$@"
)";

// fish asks for each word on its own, and shows what it means.
std::string fish_script(const CommandFacts& tapal) {
  std::string script =
      "# Completion of tapal for fish, from `tapal completion fish`.\n"
      "function __tapal_at\n"
      "  set -l words (string match -v -- '-*' (commandline -opc))\n"
      "  test \"$words\" = \"$argv\"\n"
      "end\n"
      "function __tapal_in\n"
      "  set -l words (string match -v -- '-*' (commandline -opc))\n"
      "  string match -q -- \"$argv*\" \"$words\"\n"
      "end\n";
  for (const auto* command : all_of(tapal)) {
    for (const auto& one : command->commands)
      script += fmt::format("complete -c tapal -f -n '__tapal_at {}' -a '{}' -d '{}'\n",
                            command->name,
                            last_word(one),
                            within_quotes(one.help));
    for (const auto& argument : command->arguments) {
      if (!argument.is_positional())
        script += fmt::format("complete -c tapal -n '__tapal_in {}' -l '{}'{} -d '{}'\n",
                              command->name,
                              argument.name.substr(2),
                              argument.is_flag ? "" : " -r",
                              within_quotes(argument.help));
      else if (!argument.choices.empty())
        script += fmt::format("complete -c tapal -f -n '__tapal_at {}' -a '{}'\n",
                              command->name,
                              fmt::join(argument.choices, " "));
    }
  }
  return script;
}

}  // namespace

std::string completion_script(const CommandFacts& tapal, const std::string& shell) {
  if (shell == "bash") return fmt::format(bash_script, cases(tapal));
  if (shell == "zsh") return fmt::format(zsh_script, cases(tapal));
  if (shell == "fish") return fish_script(tapal);
  return {};
}

}  // namespace tapal::app
