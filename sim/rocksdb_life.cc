#include "sim/rocksdb_life.h"

#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "drivers/rocksdb/rocksdb_store.h"
#include "rules/queue/message_life.h"
#include "sim/unsynced_files.h"
#include "sim/witness.h"

namespace tapal::sim {
namespace {

// Runs on the thread of whoever waits; the store's thread posts.
class WaitingLoop final : public Loop {
 public:
  void post(std::move_only_function<void()> work) override {
    // Told under the lock: whoever waits may end the loop as soon as it has the work.
    const std::scoped_lock lock(mutex_);
    posted_.push_back(std::move(work));
    arrived_.notify_one();
  }
  Instant now() const override { return {}; }
  std::unique_ptr<Timer> make_timer() override { std::abort(); }  // no store waits for time
  void run_one() {
    std::unique_lock lock(mutex_);
    arrived_.wait(lock, [this] { return !posted_.empty(); });
    auto work = std::move(posted_.front());
    posted_.pop_front();
    lock.unlock();
    work();
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<std::move_only_function<void()>> posted_;
};

std::string body_of(QueueId id) {
  Dice dice(id.value);
  std::string text(dice.below(dice.one_in(5) ? 50'000 : 500), 'x');
  for (char& c : text) c = static_cast<char>('a' + dice.below(26));
  return text;
}

class Life {
 public:
  explicit Life(RocksdbOptions options)
      : options_(std::move(options)), dice_(options_.seed), outcome_{.seed = options_.seed} {}

  RocksdbOutcome play() {
    std::filesystem::remove_all(options_.folder);
    for (auto lives = dice_.between(2, 4); lives > 0 && !chronicle_.broken(); --lives) live();
    if (!chronicle_.broken()) open_and_judge({});
    std::filesystem::remove_all(options_.folder);
    outcome_.broken = chronicle_.broken();
    return outcome_;
  }

 private:
  // Opens the store, which may have had a hard end, and looks at what it has.
  std::unique_ptr<RocksdbStore> open_and_judge(UnsyncedFiles::Weather weather) {
    RocksdbStoreOptions options{.folder = options_.folder};
    options.min_free_bytes = 0;
    options.write_buffer_bytes = 64UL * 1024;  // small, so that tables are written too
    options.wal_bytes_max = 256UL * 1024;
    options.wrap_files = [this, weather](const std::shared_ptr<rocksdb::FileSystem>& files) {
      files_ = std::make_shared<UnsyncedFiles>(files, dice_.fork(), weather);
      return files_;
    };
    auto store = RocksdbStore::open(std::move(options), nullptr);
    if (!store) {
      if (files_->has_power() && weather.fails_one_in == 0)
        chronicle_.broken("the spool opens again", "{}", store.error().what);
      return nullptr;
    }
    witness_.reopened(**store, Witness::Since::power_cut);
    ids_.clear();
    static_cast<void>((*store)->scan({}, [this](const queue::Message& one) {
      ids_.push_back(one.id);
      return true;
    }));
    for (const QueueId id : ids_) check_body(**store, id);
    return *std::move(store);
  }

  void check_body(RocksdbStore& store, QueueId id) {
    const auto body = store.load_body(id);
    if (!body) return;  // the witness has told
    std::string text((*body)->size(), '\0');
    text.resize((*body)->read(0, text).value_or(0));
    if (text != body_of(id)) chronicle_.broken("nothing half is kept", "the body of {}", id.text());
  }

  void live() {
    UnsyncedFiles::Weather weather{.power_goes_after = dice_.between(10, 800)};
    if (options_.sick_lives_one_in != 0 && dice_.one_in(options_.sick_lives_one_in))
      weather.fails_one_in = dice_.between(20, 200);
    auto store = open_and_judge(weather);
    if (store) work(*store);
    files_->cut_power();
    ++outcome_.power_cuts;
    store.reset();
    files_->lose_unsynced();
  }

  void work(RocksdbStore& store) {
    WitnessedStore watched(store,
                           witness_,
                           {.added = [this](const queue::Message& one) { ids_.push_back(one.id); },
                            .removed = [this](QueueId id) { std::erase(ids_, id); },
                            .has_power = [this] { return files_->has_power(); }});
    WaitingLoop loop;
    TaskGroup tasks;
    for (int round = 0; round < 200 && files_->has_power() && !chronicle_.broken(); ++round) {
      for (auto at_once = dice_.between(1, 8); at_once > 0; --at_once)
        tasks.spawn(commit(loop, watched, some_change(store)));
      while (tasks.running() > 0) loop.run_one();
    }
  }

  Task<void> commit(Loop& loop, Store& store, StoreChange change) {
    const auto durability = dice_.one_in(3) ? Durability::relaxed : Durability::synced;
    const auto kept = co_await store.commit(loop, std::move(change), durability);
    ++outcome_.commits;
    if (!kept) ++outcome_.failed;
  }

  StoreChange::NewMessage new_message(Store& store) {
    mail::Envelope envelope;
    envelope.recipients.push_back({.address = {"user", "far.example"}});
    const QueueId id{++ids_made_};
    auto body = store.new_body();
    static_cast<void>(body->append(body_of(id)));
    return {queue::new_message(id, std::move(envelope), {}), std::move(body)};
  }

  StoreChange some_change(Store& store) {
    StoreChange change;
    if (ids_.empty() || dice_.one_in(2)) {
      change.added.push_back(new_message(store));
      return change;
    }
    const QueueId id = ids_[dice_.below(ids_.size())];
    auto message = store.load(id);
    if (dice_.one_in(2) || !message) {
      change.removed.push_back(id);
      if (dice_.one_in(3)) change.added.push_back(new_message(store));  // the notice about it
    } else {
      message->recipients[0].attempts = static_cast<std::uint32_t>(++updates_);
      change.updated.push_back(*std::move(message));
    }
    return change;
  }

  RocksdbOptions options_;
  Dice dice_;
  RocksdbOutcome outcome_;
  Chronicle chronicle_{Trace::last_events};
  Witness witness_{chronicle_};
  std::shared_ptr<UnsyncedFiles> files_;
  std::vector<QueueId> ids_;
  std::uint64_t ids_made_ = 0;
  std::uint64_t updates_ = 0;
};

}  // namespace

RocksdbOutcome play_rocksdb(const RocksdbOptions& options) { return Life(options).play(); }

}  // namespace tapal::sim
