// Commits of messages of 4 and 100 KiB with so many waiting at once: messages/s, CPU and syncs per
// message. Every message is removed again, relaxed, as delivery does.
#include <atomic>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <mutex>
#include <thread>

#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include "drivers/rocksdb/rocksdb_store.h"

namespace {

using namespace tapal;

class BenchLoop final : public Loop {
 public:
  void post(std::move_only_function<void()> work) override {
    const std::scoped_lock lock(mutex_);
    queue_.push_back(std::move(work));
    arrived_.notify_one();
  }
  Instant now() const override { return {}; }
  std::unique_ptr<Timer> make_timer() override { return nullptr; }
  void run_while(const std::size_t& busy) {
    while (busy != 0) {
      std::deque<std::move_only_function<void()>> work;
      {
        std::unique_lock lock(mutex_);
        arrived_.wait(lock, [this] { return !queue_.empty(); });
        work.swap(queue_);
      }
      for (auto& each : work) each();
    }
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<std::move_only_function<void()>> queue_;
};

queue::Message message_for(std::uint64_t id) {
  queue::Message message;
  message.id = QueueId{id};
  message.envelope.return_path = mail::Address{"sender", "example.com"};
  message.recipients.resize(1);
  message.recipients[0].recipient.address = {"user", "example.org"};
  message.subject = "a usual subject line";
  message.message_id = "<20261122040000.12345@example.com>";
  return message;
}

double cpu_seconds() {
  rusage use{};
  ::getrusage(RUSAGE_SELF, &use);
  return static_cast<double>(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
         static_cast<double>(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
}

struct Run {
  Store& store;
  BenchLoop& loop;
  std::uint64_t next_id = 0;
  std::uint64_t last_id = 0;
  std::size_t busy = 0;
  std::size_t pieces = 1;  // of 4 KiB, as they come from the network
};

Task<void> commit_some(Run& run) {
  static const std::string text(4'096, 'x');
  while (run.next_id < run.last_id) {
    const std::uint64_t id = ++run.next_id;
    StoreChange change;
    change.added.push_back({message_for(id), run.store.new_body()});
    auto& body = *change.added[0].body;
    for (std::size_t i = 0; i < run.pieces; ++i)
      if (!body.append(text)) std::abort();
    body.set_head("Received: by mx.example; Thu, 26 Nov 2026 00:00:00 +0000\r\n");
    const auto added = co_await run.store.commit(run.loop, std::move(change), Durability::synced);
    StoreChange removal;
    removal.removed.push_back(QueueId{id});
    const auto removed =
        co_await run.store.commit(run.loop, std::move(removal), Durability::relaxed);
    if (!added || !removed) std::abort();
  }
  --run.busy;
}

void commit_messages(benchmark::State& state) {
  const auto committers = static_cast<std::size_t>(state.range(0));
  const std::string folder =
      (std::filesystem::temp_directory_path() / "tapal-spool-bench").string();
  std::filesystem::remove_all(folder);
  RocksdbStoreOptions options;
  options.folder = folder;
  auto store = RocksdbStore::open(options, nullptr);
  if (!store) return state.SkipWithError(store.error().what.c_str());
  BenchLoop loop;
  Run run{.store = **store, .loop = loop, .pieces = static_cast<std::size_t>(state.range(1))};
  const double cpu_before = cpu_seconds();
  for (auto _ : state) {
    run.last_id = run.next_id + 100 * committers;
    run.busy = committers;
    TaskGroup group;
    for (std::size_t i = 0; i < committers; ++i) group.spawn(commit_some(run));
    loop.run_while(run.busy);
  }
  const auto messages = static_cast<double>(run.next_id);
  const RocksdbCounters counters = (*store)->counters();
  state.counters["messages/s"] = benchmark::Counter(messages, benchmark::Counter::kIsRate);
  state.counters["cpu_us/message"] = (cpu_seconds() - cpu_before) * 1e6 / messages;
  state.counters["syncs/message"] = static_cast<double>(counters.syncs) / messages;
  state.counters["groups/message"] = static_cast<double>(counters.groups) / messages;
  rusage use{};
  ::getrusage(RUSAGE_SELF, &use);
  state.counters["peak_rss_mib"] = static_cast<double>(use.ru_maxrss) / 1024;
  store->reset();
  std::filesystem::remove_all(folder);
}
BENCHMARK(commit_messages)
    ->ArgNames({"waiting", "pieces"})
    ->ArgsProduct({{1, 20, 200}, {1, 25}})
    ->UseRealTime()
    ->MinTime(3);

}  // namespace
