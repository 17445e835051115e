// Buffers to read into, lent while there is something to read, so that those who wait hold none.
// Belongs to one event loop.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace tapal {

class BufferPool {
 public:
  explicit BufferPool(std::size_t buffer_bytes) : buffer_bytes_(buffer_bytes) {}

  // One buffer; goes back at its end, which must come before the pool's.
  class Lease {
   public:
    ~Lease() { pool_.put_back(std::move(bytes_)); }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    std::span<char> bytes() { return {bytes_.get(), pool_.buffer_bytes_}; }

   private:
    friend class BufferPool;
    Lease(BufferPool& pool, std::unique_ptr<char[]> bytes)
        : pool_(pool), bytes_(std::move(bytes)) {}
    BufferPool& pool_;
    std::unique_ptr<char[]> bytes_;
  };

  Lease lend() {
    if (spare_.empty()) return {*this, std::make_unique_for_overwrite<char[]>(buffer_bytes_)};
    auto bytes = std::move(spare_.back());
    spare_.pop_back();
    return {*this, std::move(bytes)};
  }

 private:
  static constexpr std::size_t spare_max = 8;
  void put_back(std::unique_ptr<char[]> bytes) {
    if (spare_.size() < spare_max) spare_.push_back(std::move(bytes));
  }

  std::size_t buffer_bytes_;
  std::vector<std::unique_ptr<char[]>> spare_;
};

}  // namespace tapal
