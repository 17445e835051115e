// Which of a run's numbered messages arrived, and which came twice.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tapal::bench {

class Ledger {
 public:
  static constexpr std::uint64_t ids_max = 100'000'000;  // a bit each

  enum class Entry : std::uint8_t { fresh, duplicate, beyond };
  Entry add(std::uint64_t id);  // beyond: not below ids_max, and not kept

  std::uint64_t distinct() const { return distinct_; }
  std::uint64_t duplicates() const { return duplicates_; }
  // The first `most` numbers below `end` that did not come.
  std::vector<std::uint64_t> missing(std::uint64_t end, std::size_t most) const;

 private:
  std::vector<bool> seen_;
  std::uint64_t distinct_ = 0;
  std::uint64_t duplicates_ = 0;
};

}  // namespace tapal::bench
