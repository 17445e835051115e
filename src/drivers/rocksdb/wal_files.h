// How RocksDB's files are made: readable by the owner only, and the write-ahead log with zeros
// written ahead of its end. A sync of bytes that are allocated and initialised already touches no
// journal of the file system: about a third of the cost. RocksDB 7.8 has recycled logs for this,
// but turns them off under point-in-time recovery, which we need.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>

#include <rocksdb/env.h>

namespace tapal::spool {

// `syncs` counts the log's and must outlive the environment. `wrap` as in RocksdbStoreOptions.
using WrapFiles =
    std::function<std::shared_ptr<rocksdb::FileSystem>(std::shared_ptr<rocksdb::FileSystem>)>;
std::unique_ptr<rocksdb::Env> make_environment(std::atomic<std::uint64_t>& syncs,
                                               const WrapFiles& wrap);

}  // namespace tapal::spool
