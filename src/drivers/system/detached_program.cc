#include "drivers/system/detached_program.h"

#include <cerrno>
#include <csignal>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tapal {
namespace {

std::string reason(int number) { return std::generic_category().message(number); }

// In the grandchild: between fork and exec nothing may be called but what is safe in a signal
// handler.
[[noreturn]] void become(char* const* words, int log, int told) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  const int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (chdir("/") == 0 && dup2(nothing, 0) == 0 && dup2(log, 1) == 1 && dup2(log, 2) == 2)
    execv(words[0], words);
  const int number = errno;
  static_cast<void>(!write(told, &number, sizeof number));
  _exit(1);
}

}  // namespace

Result<void> start_detached(const std::vector<std::string>& arguments,
                            const std::filesystem::path& log_file) {
  std::vector<char*> words;
  words.reserve(arguments.size() + 1);
  for (const auto& argument : arguments) words.push_back(const_cast<char*>(argument.c_str()));
  words.push_back(nullptr);
  const int log = open(log_file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (log < 0)
    return fail(Code::denied, fmt::format("cannot open {}: {}", log_file.string(), reason(errno)));
  int told[2];  // tells of a failed exec; closed by a good one
  if (pipe2(told, O_CLOEXEC) != 0) {
    close(log);
    return fail(Code::internal, "cannot make a pipe: " + reason(errno));
  }
  const pid_t child = fork();
  if (child == 0) {
    setsid();
    if (fork() == 0) become(words.data(), log, told[1]);
    _exit(0);
  }
  close(log);
  close(told[1]);
  int number = child < 0 ? errno : 0;
  if (child > 0) {
    waitpid(child, nullptr, 0);
    while (read(told[0], &number, sizeof number) < 0 && errno == EINTR) {
    }
  }
  close(told[0]);
  if (number == 0) return {};
  return fail(number == ENOENT ? Code::not_found : Code::denied,
              fmt::format("cannot start {}: {}", arguments.front(), reason(number)));
}

}  // namespace tapal
