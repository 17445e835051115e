// Unpredictable bytes. Safe to call from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace tapal {

struct Random {
  virtual ~Random() = default;
  virtual void fill(std::span<std::byte> bytes) = 0;

  std::uint64_t number() {
    std::uint64_t value = 0;
    fill(std::as_writable_bytes(std::span(&value, 1)));
    return value;
  }
  std::string bytes(std::size_t count) {
    std::string out(count, '\0');
    fill(std::as_writable_bytes(std::span(out)));
    return out;
  }
};

}  // namespace tapal
