// A body held in memory, in one piece or with its head apart: large ones are not copied to join the
// two.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include "ports/body.h"

namespace tapal {

class MemoryBody final : public Body {
 public:
  explicit MemoryBody(std::string bytes) : parts_{std::string(), std::move(bytes)} {}
  MemoryBody(std::string head, std::string rest) : parts_{std::move(head), std::move(rest)} {}

  const std::array<std::string, 2>& parts() const { return parts_; }  // one may be empty
  std::uint64_t size() const override { return parts_[0].size() + parts_[1].size(); }
  Result<std::size_t> read(std::uint64_t offset, std::span<char> into) const override {
    std::size_t count = 0;
    for (const auto& part : parts_) {
      if (offset < part.size())
        count += part.copy(into.data() + count, into.size() - count, std::exchange(offset, 0));
      else
        offset -= part.size();
    }
    return count;
  }

 private:
  std::array<std::string, 2> parts_;
};

}  // namespace tapal
