// What the table of commands holds, as plain values: manual pages and completions are made from it,
// so that they cannot tell anything else than `--help`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tapal::app {

struct ArgumentFacts {
  std::string name;  // "--limit", or "domain" for one told by its place
  std::string help;
  std::vector<std::string> choices;  // empty: any text
  bool is_flag = false;
  bool is_required = false;
  bool is_positional() const { return !name.starts_with('-'); }
};

struct CommandFacts {
  std::string name;  // in full: "tapal queue list"
  std::string help;
  std::string example;  // without "tapal"
  std::vector<ArgumentFacts> arguments;
  std::vector<CommandFacts> commands;
};

CommandFacts command_facts();

// Pages in the form of scdoc(5). The page of `tapal` is "tapal.1", those of its commands are
// "tapal-queue.1" and so on, that of the settings is "tapal.toml.5".
std::vector<std::string> manual_page_names(const CommandFacts& tapal);
std::string manual_page(const CommandFacts& tapal, const std::string& name);  // empty: no such page

// A script for bash, zsh or fish; empty for another shell.
std::string completion_script(const CommandFacts& tapal, const std::string& shell);

}  // namespace tapal::app
