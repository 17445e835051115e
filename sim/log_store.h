// A Store on the simulated disk: a write-ahead log that begins with a snapshot, group commit, a new
// log after any failure. The form of a real one, small enough to be read in one go.
#pragma once

#include <coroutine>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "ports/store.h"
#include "sim/disk.h"
#include "sim/faults.h"
#include "sim/log_record.h"

namespace tapal::sim {

// Bodies in the hands of others: being written, or read.
struct BodyCount {
  std::uint64_t bytes = 0;
  std::uint64_t bodies = 0;
};

class LogStore final : public Store {
 public:
  using Work = std::move_only_function<void()>;
  struct Options {
    // Does the work once the disk has had its time; empty: at once.
    std::function<void(Work)> after_disk_time;
    Fault fault = Fault::none;
  };
  static Result<std::unique_ptr<LogStore>> open(Mount mount, Options options);

  QueueId new_id(WallTime now) override;
  std::unique_ptr<BodyWriter> new_body() override;
  Task<Result<std::vector<BodyPtr>>> commit(Loop& loop,
                                            StoreChange change,
                                            Durability durability) override;
  Result<BodyPtr> load_body(QueueId id) override;
  Result<queue::Message> load(QueueId id) override;
  Result<void> scan(QueueId after, std::move_only_function<bool(queue::Message)> each) override;
  std::uint64_t free_bytes() const override;

  BodyCount bodies_out() const;
  std::size_t size() const;
  std::uint64_t syncs() const { return syncs_; }

 private:
  struct Counter;
  class Writer;
  class HandedBody;
  struct Kept {
    std::string state;
    std::shared_ptr<const std::string> body;
  };
  struct Pending {
    LogRecord record;
    Durability durability = Durability::synced;
    Loop* loop = nullptr;
    std::coroutine_handle<> waiter;
    Result<std::vector<BodyPtr>> result;
  };

  LogStore(Mount mount, Options options);
  void recover();
  static Pending encode_change(StoreChange change, Durability durability);
  void apply(LogRecord record);
  void enqueue(Pending& pending);
  void begin_group();
  void end_group();
  Result<void> write_group();
  Result<void> begin_log();
  Result<void> write_snapshot();
  LogRecord snapshot() const;
  BodyPtr hand_out(const std::shared_ptr<const std::string>& bytes) const;

  Mount mount_;
  Options options_;
  std::shared_ptr<Counter> counter_;
  mutable std::recursive_mutex mutex_;  // the contract lets many threads commit
  QueueIds ids_;
  QueueId last_given_;
  std::map<QueueId, Kept> messages_;
  std::uint64_t log_number_ = 0;
  std::string log_;
  std::uint64_t next_record_ = 0;
  bool broken_ = true;  // the log may not be written on: a new one is due
  std::vector<Pending*> waiting_;
  std::vector<Pending*> group_;
  Result<void> group_result_;
  bool busy_ = false;
  std::uint64_t syncs_ = 0;
};

}  // namespace tapal::sim
