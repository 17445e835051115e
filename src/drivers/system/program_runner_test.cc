#include "drivers/system/program_runner.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <deque>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <sstream>
#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "drivers/system/worker_pool.h"
#include "ports/memory_body.h"

namespace tapal {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A loop on the test's thread that ends when everything started on it did.
class SmallLoop final : public Loop {
 public:
  void post(std::move_only_function<void()> work) override {
    const std::scoped_lock lock(mutex_);
    posted_.push_back(std::move(work));
    arrived_.notify_one();
  }
  Instant now() const override { return {}; }
  std::unique_ptr<Timer> make_timer() override { return nullptr; }
  void run(const TaskGroup& group) {
    while (group.running() > 0) {
      std::unique_lock lock(mutex_);
      arrived_.wait(lock, [this] { return !posted_.empty(); });
      auto work = std::move(posted_.front());
      posted_.pop_front();
      lock.unlock();
      work();
    }
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<std::move_only_function<void()>> posted_;
};

using Ended = Result<ProgramEnd>;

struct World {
  SmallLoop loop;
  WorkerPool pool{{.threads = 4, .name = "program"}};
  ProgramRunner runner{pool};

  static Task<void> into(ProgramRunner& runner, Loop& loop, ProgramRun run, Ended& end) {
    end = co_await runner.run(loop, std::move(run));
  }
  Ended run(ProgramRun run) {
    Ended end = fail(Code::internal, "did not end");
    TaskGroup group;
    group.spawn(into(runner, loop, std::move(run), end));
    loop.run(group);
    return end;
  }
  Ended shell(const std::string& script, std::string input = {}) {
    return run(script_run(script, std::move(input)));
  }
  static ProgramRun script_run(const std::string& script, std::string input = {}) {
    ProgramRun run;
    run.arguments = {"/bin/sh", "-c", script};
    run.environment = {"PATH=/usr/bin:/bin"};
    run.input = std::move(input);
    return run;
  }
};

bool is_running(pid_t pid) {
  // A zombie that its new parent did not reap yet does not run.
  std::ifstream status(fmt::format("/proc/{}/stat", pid));
  std::string text;
  std::getline(status, text);
  const auto after_name = text.rfind(") ");
  return after_name != std::string::npos && text[after_name + 2] != 'Z';
}

// Polls: what was killed is gone in a moment.
bool is_gone(pid_t pid) {
  for (int i = 0; i < 500 && is_running(pid); ++i) std::this_thread::sleep_for(milliseconds(10));
  return !is_running(pid);
}

std::size_t open_descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& one : std::filesystem::directory_iterator("/proc/self/fd"))
    ++count;
  return count;
}

TEST(ProgramRunner, gives_input_and_environment_and_takes_output_and_exit_code) {
  World w;
  auto run = World::script_run("cat; echo \"$A\"; echo oops >&2; pwd; exit 75", "head ");
  run.environment.emplace_back("A=b c");
  run.more_input = std::make_shared<MemoryBody>("body\r\n");
  const auto end = w.run(std::move(run)).value();
  EXPECT_EQ(end.output, "head body\r\nb c\n/\n");
  EXPECT_EQ(end.error_output, "oops\n");
  EXPECT_EQ(end.exit_code, 75);
  EXPECT_EQ(end.signal, 0);
  EXPECT_FALSE(end.timed_out);
}

TEST(ProgramRunner, hands_arguments_over_as_they_are) {
  World w;
  ProgramRun run;
  run.arguments = {"/usr/bin/printf", "[%s]", "", "a b", "$HOME", "; exit 3", "*", "\"'\\"};
  EXPECT_EQ(w.run(std::move(run))->output, "[][a b][$HOME][; exit 3][*][\"'\\]");
}

TEST(ProgramRunner, lets_the_program_see_only_what_it_is_given) {
  World w;
  ::setenv("TAPAL_TEST_SECRET", "1", 1);  // NOLINT(concurrency-mt-unsafe): no other thread reads it
  const int leaked = ::dup(STDERR_FILENO);  // without close-on-exec
  const auto end =
      w.shell("echo fds $(ls /proc/self/fd | wc -l); /usr/bin/env | grep -v ^_ | sort");
  ::close(leaked);
  // ls holds one more, of the folder it reads; sh sets PWD and its like by itself.
  EXPECT_TRUE(end->output.starts_with("fds 4\n")) << end->output;
  EXPECT_FALSE(end->output.contains("SECRET")) << end->output;
  EXPECT_TRUE(end->output.contains("PATH=/usr/bin:/bin\n"));
}

TEST(ProgramRunner, starts_it_with_default_signals_and_a_group_of_its_own) {
  World w;
  sigset_t blocked;
  sigset_t before;
  ::sigemptyset(&blocked);
  ::sigaddset(&blocked, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &blocked, &before);
  WorkerPool pool({.threads = 1});  // its thread has the mask of this one
  ProgramRunner runner(pool);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  Ended end = fail(Code::internal, "did not end");
  TaskGroup group;
  auto run = World::script_run(
      "grep -E '^Sig(Blk|Ign)' /proc/self/status | cut -f2; cut -d' ' -f5,6 /proc/$$/stat; echo "
      "$$");
  group.spawn(World::into(runner, w.loop, std::move(run), end));
  w.loop.run(group);
  ASSERT_TRUE(end);
  std::istringstream said(end->output);
  std::uint64_t ignored = 1;
  std::uint64_t held = 1;
  pid_t process_group = 0;
  pid_t session = 0;
  pid_t pid = -1;
  said >> std::hex >> held >> ignored >> std::dec >> process_group >> session >> pid;
  EXPECT_EQ(held, 0U) << end->output;
  EXPECT_EQ(ignored & 0x7fffffffU, 0U) << end->output;  // above are those of the C library
  EXPECT_EQ(process_group, pid);
  EXPECT_EQ(session, pid);
}

struct OtherUser : testing::Test {
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root, to run programs as another user";
    rights.user = find_system_user("nobody").value();
  }
  Ended run(ProgramRun run) {
    World w;
    ProgramRunner runner(w.pool, rights);
    Ended end = fail(Code::internal, "did not end");
    TaskGroup group;
    group.spawn(World::into(runner, w.loop, std::move(run), end));
    w.loop.run(group);
    return end;
  }
  ProgramRights rights;
};

TEST_F(OtherUser, runs_the_program_with_its_rights_alone) {
  const auto end = run(World::script_run(
      "cat; id -u; id -G; grep -E '^(Cap(Prm|Eff)|Uid|Sig(Blk|Ign))' /proc/self/status; pwd; "
      "cut -d' ' -f5 /proc/$$/stat; echo $$; ls /proc/$$/fd | wc -l; exit 3",
      "in "));
  ASSERT_TRUE(end) << end.error().what;
  EXPECT_EQ(end->exit_code, 3);
  const auto uid = std::to_string(rights.user->id);
  EXPECT_TRUE(end->output.starts_with("in " + uid + "\n")) << end->output;
  for (const std::string& line : {"Uid:\t" + uid + "\t" + uid + "\t" + uid + "\t" + uid + "\n",
                                  std::string("CapPrm:\t0000000000000000\n"),
                                  std::string("SigBlk:\t0000000000000000\n")})
    EXPECT_TRUE(end->output.contains(line)) << line << end->output;
  EXPECT_TRUE(end->output.contains("\n/\n")) << end->output;
  EXPECT_TRUE(end->output.ends_with("\n3\n")) << end->output;  // its descriptors
}

TEST_F(OtherUser, tells_what_it_may_not_run) {
  ProgramRun missing;
  missing.arguments = {"/nonexistent/program"};
  EXPECT_EQ(run(std::move(missing)).error().code, Code::not_found);
  ProgramRun forbidden;
  forbidden.arguments = {"/etc/shadow"};
  EXPECT_EQ(run(std::move(forbidden)).error().code, Code::denied);
}

TEST(ProgramRunner, runs_nothing_where_it_is_told_why_not) {
  World w;
  ProgramRunner runner(w.pool, {{}, "not as root"});
  Ended end = fail(Code::internal, "did not end");
  TaskGroup group;
  group.spawn(World::into(runner, w.loop, World::script_run("true"), end));
  w.loop.run(group);
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().what, "not as root");
}

TEST(SystemUser, is_found_by_name_or_not) {
  EXPECT_EQ(find_system_user("root").value().id, 0U);
  EXPECT_EQ(find_system_user("no-such-user").error().code, Code::not_found);
}

TEST(ProgramRunner, makes_line_ends_local_where_that_is_asked_for) {
  World w;
  auto run = World::script_run("cat", "A: b\r\n");
  std::string body(64UL * 1024 - 1, 'x');
  body += "\r\nend\r\n\rx\r";
  run.more_input = std::make_shared<MemoryBody>(body);
  run.line_ends = ProgramRun::LineEnds::local;
  run.output_bytes_max = 1'000'000;
  EXPECT_EQ(w.run(std::move(run))->output,
            "A: b\n" + std::string(64UL * 1024 - 1, 'x') + "\nend\n\rx\r");
}

TEST(ProgramRunner, moves_much_in_and_out_at_the_same_time) {
  World w;
  auto run = World::script_run("tee /dev/stderr");
  const std::string much(5'000'000, 'm');
  run.more_input = std::make_shared<MemoryBody>(much);
  run.output_bytes_max = 10'000'000;
  const auto end = w.run(std::move(run)).value();
  EXPECT_EQ(end.output, much);
  EXPECT_EQ(end.error_output, much);
}

TEST(ProgramRunner, keeps_no_more_output_than_allowed_and_reads_on) {
  World w;
  auto run = World::script_run("head -c 3000000 /dev/zero; echo done >&2; exit 5");
  run.output_bytes_max = 1000;
  const auto end = w.run(std::move(run)).value();
  EXPECT_EQ(end.output.size(), 1000U);
  EXPECT_EQ(end.error_output, "done\n");
  EXPECT_EQ(end.exit_code, 5);
}

TEST(ProgramRunner, does_not_mind_input_that_nobody_reads) {
  World w;
  const std::string much(2'000'000, 'x');
  EXPECT_EQ(w.shell("exit 3", much)->exit_code, 3);
  EXPECT_EQ(w.shell("exec <&-; echo closed; exit 4", much)->exit_code, 4);
  EXPECT_EQ(w.shell("head -c 10", much)->output, "xxxxxxxxxx");
}

TEST(ProgramRunner, learns_the_exit_code_where_whoever_started_us_ignored_children) {
  std::signal(SIGCHLD, SIG_IGN);
  World w;
  EXPECT_EQ(w.shell("exit 75")->exit_code, 75);
}

TEST(ProgramRunner, names_the_signal_that_ended_it) {
  World w;
  const auto end = w.shell("kill -SEGV $$");
  EXPECT_EQ(end->signal, SIGSEGV);
  EXPECT_EQ(end->exit_code, -1);
  EXPECT_FALSE(end->timed_out);
}

TEST(ProgramRunner, kills_it_and_its_children_when_the_time_is_up) {
  World w;
  auto run = World::script_run("sleep 1000 & echo $!; trap '' TERM; while :; do sleep 1000; done");
  run.time_max = seconds(1);
  const auto start = std::chrono::steady_clock::now();
  const auto end = w.run(std::move(run)).value();
  EXPECT_LT(std::chrono::steady_clock::now() - start, seconds(30));
  EXPECT_TRUE(end.timed_out);
  EXPECT_EQ(end.signal, SIGKILL);
  EXPECT_TRUE(is_gone(std::stoi(end.output)));
}

// With its input open: otherwise it could take the part it has for the whole, and say so with 0.
TEST(ProgramRunner, a_program_out_of_time_never_sees_the_end_of_its_input) {
  World w;
  auto run = World::script_run("dd bs=1 count=5 2>/dev/null; sleep 3; cat >/dev/null; echo whole");
  run.input = std::string(1'000'000, 'x');
  run.time_max = seconds(1);
  const auto end = w.run(std::move(run)).value();
  EXPECT_TRUE(end.timed_out);
  EXPECT_EQ(end.output, "xxxxx");
}

TEST(ProgramRunner, does_not_wait_for_what_a_program_leaves_behind_and_ends_it) {
  World w;
  const auto start = std::chrono::steady_clock::now();
  const auto end = w.shell("sleep 1000 & echo $!");
  EXPECT_LT(std::chrono::steady_clock::now() - start, seconds(30));
  ASSERT_TRUE(end);
  EXPECT_EQ(end->exit_code, 0);
  EXPECT_TRUE(is_gone(std::stoi(end->output)));
}

struct BrokenBody final : Body {
  std::uint64_t size() const override { return 1'000'000; }
  Result<std::size_t> read(std::uint64_t offset, std::span<char> into) const override {
    if (offset > 0) return fail(Code::internal, "the disk failed");
    into[0] = 'x';
    return std::size_t{1};
  }
};
struct ShortBody final : Body {
  std::uint64_t size() const override { return 10; }
  Result<std::size_t> read(std::uint64_t, std::span<char>) const override { return std::size_t{0}; }
};

TEST(ProgramRunner, kills_it_when_the_message_cannot_be_read_to_its_end) {
  World w;
  const auto file = std::filesystem::temp_directory_path() / fmt::format("whole-{}", ::getpid());
  const auto script = fmt::format("cat >/dev/null; echo whole >{}", file.string());
  auto run = World::script_run(script);
  run.more_input = std::make_shared<BrokenBody>();
  const auto broken = w.run(std::move(run));
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().what, "the disk failed");
  run = World::script_run(script);
  run.more_input = std::make_shared<ShortBody>();
  EXPECT_EQ(w.run(std::move(run)).error().what, "the message ends before its length");
  EXPECT_FALSE(std::filesystem::exists(file));
}

TEST(ProgramRunner, says_why_a_program_cannot_be_started) {
  World w;
  const auto missing = w.run({.arguments = {"/no/such/program"}, .environment = {}});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Code::not_found);
  EXPECT_EQ(missing.error().what, "/no/such/program: No such file or directory");
  EXPECT_EQ(w.run({.arguments = {"/etc/passwd"}, .environment = {}}).error().code, Code::denied);
  EXPECT_EQ(w.run({.arguments = {"/etc"}, .environment = {}}).error().code, Code::denied);
  EXPECT_EQ(w.run({.arguments = {"sh"}, .environment = {}}).error().code, Code::not_found);
  EXPECT_EQ(w.run({.arguments = {}, .environment = {}}).error().code, Code::not_found);
}

TEST(ProgramRunner, kills_what_runs_when_it_is_stopped_and_runs_nothing_more) {
  World w;
  const auto file = std::filesystem::temp_directory_path() / fmt::format("runs-{}", ::getpid());
  Ended first = fail(Code::internal, "did not end");
  TaskGroup group;
  auto run = World::script_run(fmt::format("echo $$ >{}; exec sleep 1000", file.string()));
  group.spawn(World::into(w.runner, w.loop, std::move(run), first));
  pid_t pid = 0;
  while (!(std::ifstream(file) >> pid)) std::this_thread::sleep_for(milliseconds(5));
  w.runner.stop();
  w.loop.run(group);
  std::filesystem::remove(file);
  EXPECT_FALSE(is_running(pid));
  ASSERT_FALSE(first);
  EXPECT_EQ(first.error().code, Code::closed);
  EXPECT_EQ(w.shell("echo hello").error().code, Code::closed);
}

TEST(ProgramRunner, leaves_no_descriptor_and_no_child_behind) {
  World w;
  w.shell("exit 0");
  const auto before = open_descriptors();
  for (int i = 0; i < 50; ++i) {
    w.shell("exit 1", "input");
    w.run({.arguments = {"/no/such/program"}, .environment = {}});
  }
  EXPECT_EQ(open_descriptors(), before);
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);  // no child is left to wait for
}

TEST(ProgramRunner, runs_several_at_once) {
  World w;
  std::array<Ended, 4> ends;
  ends.fill(fail(Code::internal, "did not end"));
  TaskGroup group;
  // Each waits for the next to come: alone none would end.
  const auto folder = std::filesystem::temp_directory_path() / fmt::format("meet-{}", ::getpid());
  std::filesystem::create_directory(folder);
  for (auto& end : ends) {
    auto run = World::script_run(fmt::format(
        "cd {}; : >$$; while [ $(ls | wc -l) -lt 4 ]; do sleep 0.02; done", folder.string()));
    group.spawn(World::into(w.runner, w.loop, std::move(run), end));
  }
  w.loop.run(group);
  std::filesystem::remove_all(folder);
  for (const auto& end : ends) EXPECT_EQ(end->exit_code, 0);
}

}  // namespace
}  // namespace tapal
