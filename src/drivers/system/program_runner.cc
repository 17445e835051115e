#include "drivers/system/program_runner.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

extern "C" {            // which glibc 2.36 forgets
#include <sys/pidfd.h>  // NOLINT(llvm-include-order)
}

#include "drivers/system/program_launch.h"
#include "drivers/system/system_error.h"
#include "values/text/line_ends.h"

namespace tapal {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t block_bytes = 64UL * 1024;
constexpr int drain_blocks_max = 16;  // read after the end: a pipe holds one

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor() { close(); }
  int number() const { return number_; }  // -1 when closed: poll() leaves it out
  void close() {
    if (number_ >= 0) ::close(std::exchange(number_, -1));
  }

 private:
  int number_ = -1;
};

// A pipe whose end here does not block and whose other end is for the child.
struct Pipe {
  enum class Direction : std::uint8_t { to_child, from_child };
  Descriptor here;
  Descriptor child;

  static Result<Pipe> make(Direction direction) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0)
      return std::unexpected(system_error("cannot make a pipe", errno));
    const bool writes = direction == Direction::to_child;
    Pipe pipe{Descriptor(ends[writes ? 1 : 0]), Descriptor(ends[writes ? 0 : 1])};
    ::fcntl(pipe.here.number(), F_SETFL, O_NONBLOCK);
    return pipe;
  }
};

// The program's input, a block at a time.
class Input {
 public:
  explicit Input(ProgramRun& run) : run_(run) {}

  // What is still to be written; empty at the end.
  Result<std::string_view> next() {
    while (left_.empty() && !ended_) {
      TAPAL_TRY(const auto block, read());
      ended_ = block.empty();
      if (run_.line_ends == ProgramRun::LineEnds::network)
        left_ = block;
      else
        left_ = ended_ ? ends_.rest() : ends_.convert(block);
    }
    return left_;
  }
  void written(std::size_t count) { left_.remove_prefix(count); }

 private:
  Result<std::string_view> read() {
    if (!std::exchange(input_given_, true) && !run_.input.empty()) return run_.input;
    if (!run_.more_input) return std::string_view();
    block_.resize(block_bytes);
    TAPAL_TRY(const auto count, run_.more_input->read(offset_, block_));
    if (count == 0 && offset_ < run_.more_input->size())
      return fail(Code::internal, "the message ends before its length");
    offset_ += count;
    return std::string_view(block_).substr(0, count);
  }

  ProgramRun& run_;
  text::ToLocalLineEnds ends_;
  std::string block_;
  std::string_view left_;
  std::uint64_t offset_ = 0;
  bool input_given_ = false;
  bool ended_ = false;
};

// One program from its start to its end, on the thread that calls.
class Child {
 public:
  Child(ProgramRun& run, const SystemUser* user, int stop_sign)
      : run_(run), user_(user), input_(run), stop_sign_(stop_sign) {}
  ~Child() { end_group(); }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  Result<ProgramEnd> run() {
    pollfd sign{stop_sign_, POLLIN, 0};
    if (::poll(&sign, 1, 0) > 0) return fail(Code::closed, "no programs are run any more");
    deadline_ = SteadyClock::now() + run_.time_max;
    TAPAL_CHECK(start());
    while (!ended_) {
      TAPAL_CHECK(wait_and_serve());
    }
    take_rest(output_, end_.output);
    take_rest(error_output_, end_.error_output);
    if (!end_group()) return fail(Code::internal, "the system does not tell how a program ended");
    return std::move(end_);
  }

 private:
  Result<void> start();
  Result<void> wait_and_serve();
  Result<void> feed();
  static bool take(Descriptor& from, std::string& into, std::size_t bytes_max);
  void take_rest(Descriptor& from, std::string& into) const;
  void kill_group() const { ::kill(-pid_, SIGKILL); }
  bool end_group();

  ProgramRun& run_;
  const SystemUser* user_;  // null: our own rights
  Input input_;
  int stop_sign_;
  SteadyClock::time_point deadline_;
  pid_t pid_ = -1;
  Descriptor process_;  // readable when it has ended
  Descriptor standard_input_;
  Descriptor output_;
  Descriptor error_output_;
  bool ended_ = false;
  ProgramEnd end_;
};

Result<void> Child::start() {
  TAPAL_TRY(auto input, Pipe::make(Pipe::Direction::to_child));
  TAPAL_TRY(auto output, Pipe::make(Pipe::Direction::from_child));
  TAPAL_TRY(auto error_output, Pipe::make(Pipe::Direction::from_child));
  TAPAL_TRY(
      pid_,
      launch_program(
          run_, {input.child.number(), output.child.number(), error_output.child.number()}, user_));
  process_ = Descriptor(::pidfd_open(pid_, 0));
  if (process_.number() < 0) return std::unexpected(system_error("cannot watch a program", errno));
  standard_input_ = std::move(input.here);
  output_ = std::move(output.here);
  error_output_ = std::move(error_output.here);
  return {};
}

Result<void> Child::wait_and_serve() {
  std::array<pollfd, 5> watched{{{end_.timed_out ? -1 : standard_input_.number(), POLLOUT, 0},
                                 {output_.number(), POLLIN, 0},
                                 {error_output_.number(), POLLIN, 0},
                                 {process_.number(), POLLIN, 0},
                                 {end_.timed_out ? -1 : stop_sign_, POLLIN, 0}}};
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline_ - SteadyClock::now());
  const auto wait = std::clamp<std::int64_t>(left.count(), 0, 60'000);
  ::poll(watched.data(), watched.size(), end_.timed_out ? -1 : static_cast<int>(wait));
  if (watched[4].revents != 0) return fail(Code::closed, "stopped while the program ran");
  ended_ = watched[3].revents != 0;
  if (!ended_ && !end_.timed_out && SteadyClock::now() >= deadline_) {
    end_.timed_out = true;
    kill_group();  // before its input ends: it may not take a part for the whole
    return {};
  }
  if (watched[1].revents != 0 && !take(output_, end_.output, run_.output_bytes_max))
    output_.close();
  if (watched[2].revents != 0 && !take(error_output_, end_.error_output, run_.output_bytes_max))
    error_output_.close();
  if (watched[0].revents != 0) return feed();
  return {};
}

Result<void> Child::feed() {
  TAPAL_TRY(const auto bytes, input_.next());
  if (bytes.empty()) {
    standard_input_.close();
    return {};
  }
  const auto count = ::write(standard_input_.number(), bytes.data(), bytes.size());
  if (count >= 0)
    input_.written(static_cast<std::size_t>(count));
  else if (errno != EAGAIN && errno != EINTR)
    standard_input_.close();  // EPIPE: it wants to know no more
  return {};
}

// False at the end of what there is to read, for now or for good.
bool Child::take(Descriptor& from, std::string& into, std::size_t bytes_max) {
  std::array<char, block_bytes> block;  // NOLINT(cppcoreguidelines-pro-type-member-init)
  const auto count = ::read(from.number(), block.data(), block.size());
  if (count <= 0) return count < 0 && errno == EINTR;
  const auto room = bytes_max - std::min(bytes_max, into.size());
  into.append(block.data(), std::min(static_cast<std::size_t>(count), room));
  return true;
}

void Child::take_rest(Descriptor& from, std::string& into) const {
  for (int i = 0; i < drain_blocks_max && from.number() >= 0; ++i)
    if (!take(from, into, run_.output_bytes_max)) return;
}

// Its group goes before it is waited for: until then the number is nobody else's. False: it cannot
// be told how it ended, which must not pass for success.
bool Child::end_group() {
  if (pid_ < 0) return true;
  kill_group();
  int status = 0;
  pid_t waited = -1;
  do waited = ::waitpid(pid_, &status, 0);
  while (waited < 0 && errno == EINTR);
  pid_ = -1;
  end_.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  end_.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  return waited > 0;
}

}  // namespace

struct ProgramRunner::StopSign {
  Descriptor descriptor{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
};

ProgramRunner::ProgramRunner(Workers& workers, ProgramRights rights)
    : workers_(workers), rights_(std::move(rights)), stop_sign_(std::make_unique<StopSign>()) {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGCHLD, SIG_DFL);  // where whoever started us ignored it, nobody could be waited for
}

ProgramRunner::~ProgramRunner() = default;

void ProgramRunner::stop() {
  const std::uint64_t up = 1;
  static_cast<void>(::write(stop_sign_->descriptor.number(), &up, sizeof up));
}

Task<Result<ProgramEnd>> ProgramRunner::run(Loop& loop, ProgramRun run) {
  if (run.arguments.empty() || !run.arguments.front().starts_with('/'))
    co_return fail(Code::not_found, "a program is named by its absolute path");
  if (!rights_.refusal.empty()) co_return fail(Code::denied, rights_.refusal);
  const auto* user = rights_.user ? &*rights_.user : nullptr;
  const auto work = [&run, user, stop_sign = stop_sign_->descriptor.number()] {
    Child child(run, user, stop_sign);
    return child.run();
  };
  auto running = run_on(workers_, loop, work);
  auto end = co_await running;
  if (!end) co_return std::unexpected(std::move(end).error());
  co_return *std::move(end);
}

}  // namespace tapal
