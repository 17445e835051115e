// A folder as a git repository, by the program `git`. Calls on one folder do not overlap: whoever
// uses it holds a lock. Errors carry what git said last; not_found: there is no git.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/task.h"
#include "ports/loop.h"
#include "ports/programs.h"

namespace tapal::upkeep {

struct GitWorld {
  Loop& loop;
  Programs& programs;
  std::string folder;                    // absolute
  std::vector<std::string> environment;  // PATH, HOME and what ssh needs
};

class Git {
 public:
  explicit Git(GitWorld world) : world_(std::move(world)) {}

  Task<Result<void>> init();  // harmless where there is one
  // Everything that .gitignore lets in, and `more`; whether there was anything new.
  Task<Result<bool>> commit(std::string message, std::vector<std::string> more);
  Task<Result<void>> forget_all();  // the next commit() takes in only what is not ignored

  Task<Result<std::string>> remote();  // empty: none
  Task<Result<void>> set_remote(std::string url);
  Task<Result<void>> push();

  struct Commit {
    std::string hash;
    std::string time;  // RFC 3339
    std::string message;
  };
  Task<Result<Commit>> last();                     // empty hash: none yet
  Task<Result<std::size_t>> commits_not_pushed();  // as far as we know
  // Files that differ from the last commit; not those that stay here and are only taken out of it.
  Task<Result<std::vector<std::string>>> changed();
  Task<Result<std::vector<std::string>>> kept_out();  // files that .gitignore keeps out

 private:
  Task<Result<ProgramEnd>> run(std::vector<std::string> words);
  // Its output. An exit code other than 0 is an error.
  Task<Result<std::string>> ask(std::vector<std::string> words);

  GitWorld world_;
};

// Why git would not take it, or would tell a secret: it begins with "-", runs a program ("ext::"),
// or has a password in it. Empty: fit.
std::string why_unfit_remote(std::string_view url);

}  // namespace tapal::upkeep
