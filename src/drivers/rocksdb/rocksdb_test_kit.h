// What the tests of the spool share: a folder that goes with the test, and small stores in it.
#pragma once

#include <algorithm>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "drivers/rocksdb/rocksdb_store.h"
#include "ports/store_contract.h"

namespace tapal {

namespace fs = std::filesystem;
using namespace store_contract;

struct TestFolder {
  std::string path;
  TestFolder() {
    path = (fs::temp_directory_path() / "tapal-spool-XXXXXX").string();
    if (::mkdtemp(path.data()) == nullptr) std::abort();
  }
  TestFolder(const TestFolder&) = delete;
  ~TestFolder() { fs::remove_all(path); }
};

class TestLog final : public Log {
 public:
  void write(Level /*level*/, std::string_view event, LogFields /*fields*/) override {
    const std::scoped_lock lock(mutex_);
    events_.emplace_back(event);
  }
  std::size_t count(std::string_view event) const {
    const std::scoped_lock lock(mutex_);
    return static_cast<std::size_t>(std::ranges::count(events_, event));
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> events_;
};

inline RocksdbStoreOptions small_options(const std::string& folder) {
  RocksdbStoreOptions options;
  options.folder = folder;
  options.write_buffer_bytes = 1024UL * 1024;  // so that tests see flushes and new logs
  options.min_free_bytes = 0;
  options.body_in_record_bytes_max = 64UL * 1024;
  return options;
}

inline std::unique_ptr<RocksdbStore> open_store(RocksdbStoreOptions options, Log* log = nullptr) {
  auto store = RocksdbStore::open(std::move(options), log);
  if (!store) ADD_FAILURE() << store.error().what;
  return store ? *std::move(store) : nullptr;
}

}  // namespace tapal
