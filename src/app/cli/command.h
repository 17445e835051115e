// How a command declares itself: its name, its help, what it takes, what it does. CLI11, which
// reads argv, is slow to compile and stays behind it (and in command_line.cc).
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <boost/json/fwd.hpp>

#include "base/result.h"

namespace CLI {  // NOLINT(readability-identifier-naming): the name of the library
class App;
}

namespace tapal::app {

// Exit codes of all commands.
inline constexpr int exit_done = 0;       // done, or the answer is yes
inline constexpr int exit_failed = 1;     // it failed, or the answer is no
inline constexpr int exit_usage = 2;      // wrong usage
inline constexpr int exit_no_server = 3;  // no server is running to ask

enum class Output : std::uint8_t { text, json };

// What every command has.
struct CommonOptions {
  std::filesystem::path config;
  Output output = Output::text;
};

// To standard error; gives exit_failed.
int tell(const Error& error);
void print_json(const boost::json::object& answer);  // on a line of its own
boost::json::array json_list(const std::vector<std::string>& texts);

struct Argument {
  std::string name;  // "--selector", or "domain" for one told by its place
  std::string help;
  bool required = false;
  std::string environment = {};           // a variable that gives it, too
  std::vector<std::string> choices = {};  // empty: any text
};

struct NumberRange {
  std::int64_t least = 0;
  std::int64_t most = INT64_MAX;
};

// What argv chose, and how something that changes the configuration is run: so that its backup gets
// a commit of that name.
struct CommandChoice {
  using Run = std::function<int(const CommonOptions&)>;
  Run chosen;
  std::function<int(const CommonOptions& common, const std::string& name, const Run& run)>
      run_and_commit;
};

// A place in the tree of commands; a light handle, to be copied at will. What arguments go into
// must live as long as the function given to runs(): let that hold it.
class Command {
 public:
  using Run = CommandChoice::Run;

  // Both outlive it.
  Command(CLI::App& place, CommandChoice& choice) : place_(&place), choice_(&choice) {}

  // A command below this one. `example` is a whole command line without "tapal".
  Command add(const std::string& name, const std::string& help, const std::string& example) const;
  // The same for one that only has commands below it.
  Command add_group(const std::string& name,
                    const std::string& help,
                    const std::string& example) const;

  void text(const Argument& argument, std::string& into) const;
  void texts(const Argument& argument, std::vector<std::string>& into) const;  // one or more
  void number(const Argument& argument, NumberRange range, std::int64_t& into) const;
  void flag(const Argument& argument, bool& into) const;
  void runs(Run run) const;
  // As runs(), for what changes the configuration: it is then committed to the backup.
  void changes(Run run) const;

 private:
  CLI::App* place_;
  CommandChoice* choice_;
};

}  // namespace tapal::app
