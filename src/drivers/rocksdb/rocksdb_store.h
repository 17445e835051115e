// The spool on one machine: RocksDB with a synced write-ahead log. One thread commits; all who
// wait share its next sync. Bodies over a threshold are files of their own.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ports/kept_records.h"
#include "ports/log.h"
#include "ports/store.h"
#include "ports/workers.h"

namespace rocksdb {
class FileSystem;
}

namespace tapal {

struct RocksdbStoreOptions {
  std::string folder;  // made when missing, readable by its owner only; its parent must exist
  std::uint64_t body_in_record_bytes_max = 256ULL * 1024;  // larger bodies become files
  // Bodies being written, all together; while they take as much, all that comes goes into files.
  std::uint64_t bodies_in_memory_bytes_max = 128ULL * 1024 * 1024;
  // Room on the disk that new mail may not use, so that the queue can still be worked off.
  std::uint64_t min_free_bytes = 64ULL * 1024 * 1024;
  std::size_t commits_waiting_max = 10'000;         // more are answered Code::full
  std::size_t group_bytes_max = 8UL * 1024 * 1024;  // written with one sync
  // Memory for recent mail, of which two exist; at most half of min_free_bytes, but 1 MiB.
  std::size_t write_buffer_bytes = 32UL * 1024 * 1024;
  std::size_t block_cache_bytes = 8UL * 1024 * 1024;
  std::uint64_t wal_bytes_max = 256ULL * 1024 * 1024;  // the log on disk, about
  // A sync waits this long for as many commits as the one before it had: sessions that it lets go
  // on together come back together. A lone sender is never kept waiting.
  std::chrono::microseconds gather_max{2'000};
  // Relaxed commits are written with the next synced one, or after this, by themselves.
  std::chrono::milliseconds relaxed_write_after{5};
  // They are on stable storage after this at the latest.
  std::chrono::milliseconds relaxed_sync_after{1'000};
  // Body files are synced there, so that a large one is waited for by its own sender alone; null:
  // on the caller's thread. Must outlive the store.
  Workers* workers = nullptr;
  // Puts something between the database and its files, to play what disks do; empty: nothing.
  std::function<std::shared_ptr<rocksdb::FileSystem>(std::shared_ptr<rocksdb::FileSystem>)>
      wrap_files;
};

// Where a spool's checkpoint is: beside it, in a folder of the spool, is room for a lock of those
// who read it.
std::string checkpoint_folder(const std::string& spool);

// Since open(). `syncs` counts those of the log and those of body files and their folders.
struct RocksdbCounters {
  std::uint64_t commits = 0;  // calls of commit() that were written
  std::uint64_t groups = 0;   // write batches
  std::uint64_t syncs = 0;
  std::uint64_t messages_added = 0;
  std::uint64_t bytes = 0;     // of batches and body files
  std::uint64_t failures = 0;  // commits answered with an error
};

class RocksdbStore final : public Store, public KeptRecords {
 public:
  // Takes the folder's lock: Code::denied, naming the folder, when another process has it.
  // Removes body files that no message names. `log`, which may be null, must outlive the store.
  static Result<std::unique_ptr<RocksdbStore>> open(RocksdbStoreOptions options, Log* log);

  // Everything committed is flushed. No commit() may be waiting, no writer alive.
  ~RocksdbStore() override;
  RocksdbStore(const RocksdbStore&) = delete;
  RocksdbStore& operator=(const RocksdbStore&) = delete;

  QueueId new_id(WallTime now) override;
  std::unique_ptr<BodyWriter> new_body() override;
  // Errors: full (disk, reserve or waiting line), internal (the disk failed). After an error the
  // store tries to recover with each later commit.
  Task<Result<std::vector<BodyPtr>>> commit(Loop& loop,
                                            StoreChange change,
                                            Durability durability) override;
  Result<BodyPtr> load_body(QueueId id) override;
  Result<queue::Message> load(QueueId id) override;
  Result<void> scan(QueueId after, std::move_only_function<bool(queue::Message)> each) override;
  Result<std::optional<std::string>> read_record(RecordKind kind, std::string_view key) override;
  Result<void> read_records(
      RecordKind kind,
      std::move_only_function<void(std::string_view, std::string_view)> each) override;
  Task<Result<void>> change_records(Loop& loop, RecordKind kind, RecordsChange change) override;
  std::uint64_t free_bytes() const override;  // above min_free_bytes

  // The spool as it is now, as a folder of its own that opens as one: within this one, and gone
  // with the next checkpoint or start. Files that change no more have a second name there, so that
  // it takes little time and room. Any thread, one at a time; mail goes on meanwhile.
  Result<std::string> checkpoint();

  RocksdbCounters counters() const;

 private:
  class Engine;
  explicit RocksdbStore(std::unique_ptr<Engine> engine);
  std::unique_ptr<Engine> engine_;
};

}  // namespace tapal
