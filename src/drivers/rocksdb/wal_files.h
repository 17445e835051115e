// How RocksDB's files are made: readable by the owner only, and the write-ahead log with zeros
// written ahead of its end. A sync of bytes that are allocated and initialised already touches no
// journal of the file system: about a third of the cost. RocksDB 7.8 has recycled logs for this,
// but turns them off under point-in-time recovery, which we need.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <rocksdb/env.h>

namespace tapal::spool {

// The logs that were made since the database was opened, and how much of each is to be kept: a
// change whose write or sync failed is refused, and stands in the log all the same. Any thread.
class WalState {
 public:
  struct Cut {
    std::string path;
    std::uint64_t bytes_kept = 0;
  };
  void keep();  // all that is written until now
  // What each log must be cut to before it is read again: a failing write, too, may have written
  // all of a change. A log may be gone by then, and nothing of it is missed.
  std::vector<Cut> cuts() const;
  void forget();  // the database is opened anew
  std::uint64_t syncs() const { return syncs_; }

  // Of the files.
  void made(std::string path);
  void written(const std::string& path, std::uint64_t bytes);
  void synced() { ++syncs_; }

 private:
  struct File {
    std::string path;
    std::uint64_t written = 0, kept = 0;
  };
  mutable std::mutex mutex_;
  std::vector<File> files_;  // the newest last; older ones only while what they hold is refused
  std::atomic<std::uint64_t> syncs_ = 0;
};

// `state` must outlive the environment. `wrap` as in RocksdbStoreOptions.
using WrapFiles =
    std::function<std::shared_ptr<rocksdb::FileSystem>(std::shared_ptr<rocksdb::FileSystem>)>;
std::unique_ptr<rocksdb::Env> make_environment(WalState& state, const WrapFiles& wrap);

}  // namespace tapal::spool
