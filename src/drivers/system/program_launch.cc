#include "drivers/system/program_launch.h"

#include <cerrno>
#include <csignal>
#include <string>
#include <vector>

#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "drivers/system/system_error.h"

namespace tapal {
namespace {

// What posix_spawn() is told, freed with it.
struct SpawnOrders {
  SpawnOrders() {
    ::posix_spawnattr_init(&attributes);
    ::posix_spawn_file_actions_init(&actions);
  }
  ~SpawnOrders() {
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
  }
  SpawnOrders(const SpawnOrders&) = delete;
  SpawnOrders& operator=(const SpawnOrders&) = delete;

  posix_spawnattr_t attributes{};
  posix_spawn_file_actions_t actions{};
};

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (auto& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

struct Words {
  explicit Words(ProgramRun& run)
      : arguments(pointers_to(run.arguments)), environment(pointers_to(run.environment)) {}
  std::vector<char*> arguments;
  std::vector<char*> environment;
};

Result<pid_t> spawn(const Words& words, const ProgramDescriptors& descriptors) {
  SpawnOrders orders;
  sigset_t none;
  sigset_t all;
  ::sigemptyset(&none);
  ::sigfillset(&all);
  ::posix_spawnattr_setsigmask(&orders.attributes, &none);
  ::posix_spawnattr_setsigdefault(&orders.attributes, &all);
  ::posix_spawnattr_setflags(&orders.attributes,
                             POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  for (int number = 0; const int descriptor : descriptors)
    ::posix_spawn_file_actions_adddup2(&orders.actions, descriptor, number++);
  ::posix_spawn_file_actions_addclosefrom_np(&orders.actions, STDERR_FILENO + 1);
  ::posix_spawn_file_actions_addchdir_np(&orders.actions, "/");
  pid_t pid = -1;
  const int failed = ::posix_spawn(&pid,
                                   words.arguments.front(),
                                   &orders.actions,
                                   &orders.attributes,
                                   words.arguments.data(),
                                   words.environment.data());
  if (failed != 0) return std::unexpected(system_error(words.arguments.front(), failed));
  return pid;
}

// In the child of a program with threads: only calls that POSIX allows between fork() and exec.
// Comes back when one of them fails.
void become(const Words& words, const ProgramDescriptors& descriptors, const SystemUser& user) {
  ::setsid();
  for (int number = 0; const int descriptor : descriptors)
    if (::dup2(descriptor, number++) < 0) return;
  if (::close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC) != 0) return;
  struct sigaction usual{};
  usual.sa_handler = SIG_DFL;
  for (int signal = 1; signal < NSIG; ++signal) ::sigaction(signal, &usual, nullptr);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  if (::chdir("/") != 0) return;
  if (::setgroups(user.groups.size(), user.groups.data()) != 0) return;
  if (::setresgid(user.group, user.group, user.group) != 0) return;
  if (::setresuid(user.id, user.id, user.id) != 0) return;
  ::execve(words.arguments.front(), words.arguments.data(), words.environment.data());
}

Result<pid_t> spawn_as(const SystemUser& user,
                       const Words& words,
                       const ProgramDescriptors& descriptors) {
  std::array<int, 2> trouble{};  // the child writes errno; nothing once it is the program
  if (::pipe2(trouble.data(), O_CLOEXEC) != 0)
    return std::unexpected(system_error("cannot make a pipe", errno));
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);  // no handler of ours runs in the child
  const pid_t pid = ::fork();
  if (pid == 0) {
    become(words, descriptors, user);
    const int failed = errno;
    static_cast<void>(::write(trouble[1], &failed, sizeof failed));
    ::_exit(127);
  }
  int failed = pid < 0 ? errno : 0;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::close(trouble[1]);
  if (pid > 0)
    while (::read(trouble[0], &failed, sizeof failed) < 0 && errno == EINTR) continue;
  ::close(trouble[0]);
  if (failed == 0) return pid;
  if (pid > 0)
    while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) continue;
  return std::unexpected(system_error(words.arguments.front(), failed));
}

}  // namespace

Result<pid_t> launch_program(ProgramRun& run,
                             const ProgramDescriptors& descriptors,
                             const SystemUser* user) {
  const Words words(run);
  return user == nullptr ? spawn(words, descriptors) : spawn_as(*user, words, descriptors);
}

}  // namespace tapal
