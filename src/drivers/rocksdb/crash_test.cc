// Killed at any moment, the store keeps what it acknowledged and nothing half. The child is this
// program again, running the disabled test below: a fork would inherit RocksDB without its threads.
#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <random>

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "drivers/rocksdb/file.h"
#include "drivers/rocksdb/rocksdb_store.h"
#include "ports/store_contract.h"

namespace tapal {
namespace {

namespace fs = std::filesystem;
using namespace store_contract;

constexpr int report_file = 5;  // the child's end of the pipe
constexpr int rounds = 20;

RocksdbStoreOptions crash_options(const std::string& folder) {
  RocksdbStoreOptions options;
  options.body_in_record_bytes_max = 64UL * 1024;
  options.folder = folder;
  options.write_buffer_bytes = 256UL * 1024;  // flushes and new logs happen all the time
  options.min_free_bytes = 0;
  options.relaxed_sync_after = std::chrono::milliseconds(5);
  return options;
}

std::string text_of(std::uint64_t id) {
  return body_text(id, id % 7 == 0 ? 100'000 + id % 1'000 : id * 37 % 5'000);
}

void report(char what, std::uint64_t id) {
  const std::string line = fmt::format("{} {}\n", what, id);
  if (::write(report_file, line.data(), line.size()) < 0) std::_Exit(1);
}

// Adds messages for ever; updates some, removes some. 'A': added and acknowledged, 'U': an update
// is acknowledged, 'R': a removal is about to begin.
Task<> work(TestLoop& loop, Store& store, std::uint64_t first) {
  for (std::uint64_t id = first;; id += 10) {
    StoreChange change;
    std::unique_ptr<BodyWriter> writer = store.new_body();
    if (!writer->append(text_of(id))) std::_Exit(2);
    change.added.push_back({message(id), std::move(writer)});
    const Bodies added = co_await store.commit(loop, std::move(change), Durability::synced);
    if (!added) std::_Exit(3);
    report('A', id);
    StoreChange next;
    if (id % 3 == 0) {
      report('R', id);
      next.removed.push_back(QueueId{id});
    } else {
      next.updated.push_back(message(id));
      next.updated[0].recipients[0].attempts = 1;
    }
    const auto durability = id % 2 == 0 ? Durability::synced : Durability::relaxed;
    const Bodies changed = co_await store.commit(loop, std::move(next), durability);
    if (!changed) std::_Exit(4);
    if (id % 3 != 0) report('U', id);
  }
}

TEST(CrashLoop, DISABLED_child) {
  const char* folder = std::getenv("TAPAL_CRASH_FOLDER");
  ASSERT_NE(folder, nullptr) << "run by the test crash_loop only";
  auto store = RocksdbStore::open(crash_options(folder), nullptr);
  if (!store) std::_Exit(5);
  const std::uint64_t first = std::strtoull(std::getenv("TAPAL_CRASH_FIRST_ID"), nullptr, 10);
  TestLoop loops[2];
  for (std::uint64_t i = 0; i < 10; ++i) {
    TestLoop& loop = loops[i % 2];
    loop.post([&loop, &store, start = first + i] {
      static thread_local TaskGroup group;
      group.spawn(work(loop, **store, start));
    });
  }
  for (;;) ::pause();
}

struct Child {
  pid_t process = -1;
  spool::FileDescriptor reports;
};

Child start_child(const std::string& folder, std::uint64_t first_id) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) std::abort();
  Child child{-1, spool::FileDescriptor(ends[0])};
  const spool::FileDescriptor writing(ends[1]);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, writing.get(), report_file);
  ::posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  const std::string in = "TAPAL_CRASH_FOLDER=" + folder;
  const std::string from = fmt::format("TAPAL_CRASH_FIRST_ID={}", first_id);
  const char* arguments[] = {"crash-child",
                             "--gtest_also_run_disabled_tests",
                             "--gtest_filter=CrashLoop.DISABLED_child",
                             nullptr};
  const char* environment[] = {in.c_str(), from.c_str(), nullptr};
  const int failed = ::posix_spawn(&child.process,
                                   "/proc/self/exe",
                                   &actions,
                                   nullptr,
                                   const_cast<char**>(arguments),
                                   const_cast<char**>(environment));
  ::posix_spawn_file_actions_destroy(&actions);
  EXPECT_EQ(failed, 0);
  return child;
}

// What must and may be there: attempts acknowledged, for each message whose removal did not begin.
struct Promised {
  std::map<std::uint64_t, std::uint32_t> kept;
  std::map<std::uint64_t, bool> maybe_removed;
};

// Kills the child after so many reports; reads what it said before.
std::size_t run_until_killed(Child& child, std::size_t reports, Promised& promised) {
  std::string said;
  std::size_t lines = 0;
  char piece[4'096];
  for (;;) {
    const ssize_t count = ::read(child.reports.get(), piece, sizeof(piece));
    if (count <= 0) break;
    said.append(piece, static_cast<std::size_t>(count));
    const auto before = lines;
    lines = static_cast<std::size_t>(std::ranges::count(said, '\n'));
    if (before < reports && lines >= reports) ::kill(child.process, SIGKILL);
  }
  int status = 0;
  ::waitpid(child.process, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
      << "child ended by itself: " << status;
  for (std::size_t at = 0, end = 0; (end = said.find('\n', at)) != std::string::npos;
       at = end + 1) {
    const std::uint64_t id = std::strtoull(said.c_str() + at + 2, nullptr, 10);
    if (said[at] == 'A') promised.kept[id] = 0;
    if (said[at] == 'U') promised.kept[id] = 1;
    if (said[at] == 'R') promised.kept.erase(id), promised.maybe_removed[id] = true;
  }
  return lines;
}

// Returns the highest id in the store.
std::uint64_t check(const std::string& folder, const Promised& promised) {
  auto opened = RocksdbStore::open(crash_options(folder), nullptr);
  if (!opened) {
    ADD_FAILURE() << opened.error().what;
    return 0;
  }
  Store& store = **opened;
  std::map<std::uint64_t, std::uint32_t> there;
  EXPECT_TRUE(store.scan({}, [&](const queue::Message& each) {
    there[each.id.value] = each.recipients.at(0).attempts;
    return true;
  }));
  for (const auto& [id, attempts] : promised.kept) {
    const auto found = there.find(id);
    if (found == there.end())
      ADD_FAILURE() << "acknowledged message " << id << " is lost";
    else
      EXPECT_GE(found->second, attempts) << "acknowledged update of " << id << " is lost";
  }
  std::size_t large = 0;
  for (const auto& [id, attempts] : there) {
    const auto body = store.load_body(QueueId{id});
    if (!body)
      ADD_FAILURE() << "message " << id << " is half there: " << body.error().what;
    else
      EXPECT_TRUE(read_all(**body) == text_of(id)) << "message " << id << " has another body";
    if (id % 7 == 0) ++large;
  }
  std::size_t files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder + "/bodies")) {
    if (entry.is_regular_file()) ++files;
  }
  EXPECT_EQ(files, large) << "body files without a message";
  return there.empty() ? 0 : there.rbegin()->first;
}

TEST(RocksdbStore, killed_at_any_moment_keeps_what_it_acknowledged_and_nothing_half) {
  std::string folder = (fs::temp_directory_path() / "tapal-crash-XXXXXX").string();
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const unsigned seed = 20'261;
  std::mt19937 random(seed);
  Promised promised;
  std::uint64_t first_id = 1;
  std::size_t reports = 0;
  for (int round = 0; round < rounds && !testing::Test::HasFailure(); ++round) {
    SCOPED_TRACE(fmt::format("seed {}, round {}", seed, round));
    Child child = start_child(folder, first_id);
    reports += run_until_killed(child, 1 + random() % 400, promised);
    const std::uint64_t highest = check(folder, promised);
    const std::uint64_t removed =
        promised.maybe_removed.empty() ? 0 : promised.maybe_removed.rbegin()->first;
    first_id = (std::max(highest, removed) / 10 + 2) * 10 + 1;
  }
  EXPECT_GT(reports, 1'000U);
  RecordProperty("reports", static_cast<int>(reports));
  fs::remove_all(folder);
}

}  // namespace
}  // namespace tapal
