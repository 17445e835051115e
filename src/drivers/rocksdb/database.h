// RocksDB as the spool needs it: keys, opening, reading while another thread reopens it after a
// failure.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include "base/queue_id.h"
#include "base/result.h"
#include "drivers/rocksdb/rocksdb_store.h"
#include "drivers/rocksdb/wal_files.h"
#include "ports/kept_records.h"

namespace tapal::spool {

// Records of a message. Ids are big endian: the order of keys is the order of age.
enum class Record : char {
  state = 'm',  // queue::to_json
  body = 'b',   // the whole body, when small; written once
  file =
      'f',  // 8 bytes size (big endian) of the body's file, then the head before it; written once
};
std::string key_of(Record record, QueueId id);
std::optional<QueueId> id_of(std::string_view key);
std::string file_record(std::uint64_t bytes, std::string_view head);
Result<std::pair<std::uint64_t, std::string>> read_file_record(std::string_view value);
// Of what others keep here: 'r', the kind's letter, their key.
std::string key_of(RecordKind kind, std::string_view key);

class Database {
 public:
  Database(const RocksdbStoreOptions& options, Log* log);  // `log` may be null and must outlive it
  ~Database();

  Result<void> open();
  Result<void> write(rocksdb::WriteBatch& batch, Durability durability);
  Result<void> sync_log();
  // Closes and opens again: the way out of RocksDB's own error states. What write() refused is not
  // there any more.
  Result<void> reopen();

  // What was removed takes room until RocksDB has compacted: does so now, unless what is left is
  // more than `room_bytes`, which it is written to.
  Result<void> reclaim(std::uint64_t room_bytes);

  // A database of its own in `folder`, made here: what was written until now.
  Result<void> checkpoint(const std::string& folder) const;

  // Nothing: there is no such record.
  Result<std::optional<std::string>> get(const std::string& key) const;
  // Calls each(id, value) for the state records after `after`, oldest first, until it says no.
  Result<void> scan(QueueId after,
                    std::move_only_function<bool(QueueId, std::string_view)> each) const;
  Result<QueueId> newest() const;  // of the state records; QueueId{} when there are none
  // All records whose keys begin with this, in order.
  Result<void> scan_prefix(
      const std::string& prefix,
      std::move_only_function<void(std::string_view key, std::string_view value)> each) const;
  std::uint64_t log_syncs() const { return wal_.syncs(); }

 private:
  Result<void> cut_refused();

  std::string path_;
  WalState wal_;
  std::unique_ptr<rocksdb::Env> environment_;
  rocksdb::Options options_;
  mutable std::shared_mutex mutex_;  // exclusive while db_ is exchanged
  std::unique_ptr<rocksdb::DB> db_;  // null after a reopening that failed
};

}  // namespace tapal::spool
