// Group commit: one thread takes all changes that wait, writes them with one sync, and wakes those
// who wait on their own loops.
#pragma once

#include <atomic>
#include <condition_variable>
#include <coroutine>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <unordered_set>
#include <vector>

#include "drivers/rocksdb/body_folder.h"
#include "drivers/rocksdb/database.h"
#include "ports/kept_records.h"
#include "ports/memory_body.h"
#include "ports/store.h"

namespace tapal::spool {

// One commit(), encoded by its caller, waiting in its coroutine's frame.
struct Pending {
  struct Added {
    QueueId id;
    std::string state;
    std::shared_ptr<const MemoryBody> small;  // one of these two
    std::unique_ptr<SpoolWriter> large;       // kept by the folder before it comes here
  };
  struct Updated {
    QueueId id;
    std::string state;
  };
  std::vector<Added> added;
  std::vector<Updated> updated;
  std::vector<QueueId> removed;
  RecordsChange records;  // keys as in the database
  Durability durability = Durability::synced;
  std::size_t bytes = 0;  // about, in the log
  // Refused, the files of its bodies are not yet to be removed: the log may name them, or will when
  // the same is asked again.
  bool files_stay = false;
  Loop* loop = nullptr;
  std::coroutine_handle<> waiter;
  Result<std::vector<BodyPtr>> result;
};

Pending encode(StoreChange change, Durability durability);
Pending encode(RecordKind kind, RecordsChange change);  // relaxed

class CommitThread {
 public:
  CommitThread(const RocksdbStoreOptions& options,
               Database& database,
               BodyFolder& bodies,
               Log* log);
  ~CommitThread();  // writes what waits
  CommitThread(const CommitThread&) = delete;
  CommitThread& operator=(const CommitThread&) = delete;

  // Before start(): the ids whose bodies are files.
  void know_files(std::span<const QueueId> ids);
  bool has_file(QueueId id) const;
  void start();

  // False, with pending.result set, when too many wait. Otherwise `pending` belongs to the thread
  // until its waiter is resumed, and may not be touched after this call.
  bool enqueue(Pending& pending);

  // While the lock lives, bodies of removed messages keep their files.
  std::unique_lock<std::mutex> put_off_removals() { return std::unique_lock(removals_mutex_); }

  std::uint64_t disk_free_bytes() const;  // all of it, the reserve too
  void add_counters(RocksdbCounters& counters) const;

 private:
  struct IdHash {
    std::size_t operator()(QueueId id) const { return std::hash<std::uint64_t>()(id.value); }
  };
  using Ids = std::unordered_set<QueueId, IdHash>;

  // What building a batch needs to know about its earlier part.
  struct Batch {
    rocksdb::WriteBatch& writes;
    Ids added;
    Ids removed;
    Ids files;
    Durability durability = Durability::relaxed;
  };

  void run();
  bool take(std::vector<Pending*>& group);
  bool await_work(std::unique_lock<std::mutex>& lock);
  void write(std::span<Pending*> group);
  void check_room(std::span<Pending*> group);
  std::uint64_t reclaim_room(std::uint64_t room_bytes);
  void put(Batch& batch, Pending& pending);
  static void put(Batch& batch, const RecordsChange& records);
  bool is_there(const Batch& batch, QueueId id) const;
  void written(std::span<Pending*> group, const Batch& batch);
  void refused_in_log(std::span<Pending*> group);
  void failed(std::span<Pending*> group, const Error& error);
  void forget_removed_files();
  void sync_relaxed();
  Result<void> recover();
  void complain(std::string_view event, const Error& error);
  static void wake(std::span<Pending*> group);

  const RocksdbStoreOptions& options_;
  Database& database_;
  BodyFolder& bodies_;
  Log* log_;

  std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<Pending*> waiting_;
  std::size_t synced_waiting_ = 0;   // of them
  std::size_t synced_expected_ = 1;  // as many as the last sync was for: wakes the thread
  bool stopping_ = false;

  // The thread's own.
  std::vector<Pending*> taken_;  // more than one group of them
  rocksdb::WriteBatch writes_;   // of one group after the other: it need not grow each time
  bool unsynced_ = false;        // relaxed changes are in the log, not yet on the disk
  std::vector<QueueId> files_to_remove_;  // once their removal is synced
  bool broken_ = false;
  std::vector<QueueId> refused_files_;  // of bodies: the log names them until it is cut
  std::size_t removed_since_reclaim_ = 0;

  std::mutex removals_mutex_;  // held while files are removed, or must not be

  mutable std::mutex files_mutex_;
  Ids files_;  // messages whose bodies are files

  std::atomic<std::uint64_t> commits_ = 0, groups_ = 0, added_ = 0, bytes_ = 0, failures_ = 0;
  std::thread thread_;
};

}  // namespace tapal::spool
