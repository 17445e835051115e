// A file system for RocksDB over the real one that can lose its power: from then on nothing is
// written, and what was not synced is lost, torn, or there after all. Appends and syncs may fail
// before that. Renames and removals are taken as done at once. Safe from any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include <rocksdb/file_system.h>

#include "sim/dice.h"

namespace tapal::sim {

class UnsyncedFiles final : public rocksdb::FileSystemWrapper {
 public:
  struct Weather {
    std::uint64_t power_goes_after = UINT64_MAX;  // appends and syncs
    std::uint64_t fails_one_in = 0;               // of them; 0: none
  };
  UnsyncedFiles(const std::shared_ptr<rocksdb::FileSystem>& files, Dice dice, Weather weather)
      : FileSystemWrapper(files), dice_(dice), weather_(weather) {}
  const char* Name() const override { return "tapal-sim"; }

  bool has_power() const;
  void cut_power();
  // Once nobody uses the files any more.
  void lose_unsynced();

  rocksdb::IOStatus NewWritableFile(const std::string& path,
                                    const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* result,
                                    rocksdb::IODebugContext* context) override;
  rocksdb::IOStatus RenameFile(const std::string& from,
                               const std::string& to,
                               const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* context) override;
  rocksdb::IOStatus DeleteFile(const std::string& path,
                               const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* context) override;
  rocksdb::IOStatus Truncate(const std::string& path,
                             std::size_t size,
                             const rocksdb::IOOptions& options,
                             rocksdb::IODebugContext* context) override;

 private:
  class File;
  struct Extent {
    std::uint64_t written = 0;
    std::uint64_t synced = 0;
  };
  rocksdb::IOStatus step();  // one append or sync: may fail, may be the last
  void lose(const std::string& path, const Extent& extent);

  mutable std::mutex mutex_;
  Dice dice_;
  Weather weather_;
  bool power_ = true;
  std::map<std::string, Extent> extents_;  // by path
};

}  // namespace tapal::sim
