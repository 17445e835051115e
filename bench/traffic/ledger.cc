#include "bench/traffic/ledger.h"

#include <algorithm>

namespace tapal::bench {

Ledger::Entry Ledger::add(std::uint64_t id) {
  if (id >= ids_max) return Entry::beyond;
  if (id >= seen_.size())
    seen_.resize(
        std::min<std::uint64_t>(ids_max, std::max<std::uint64_t>(id + 1, 2 * seen_.size())));
  if (seen_[id]) {
    ++duplicates_;
    return Entry::duplicate;
  }
  seen_[id] = true;
  ++distinct_;
  return Entry::fresh;
}

std::vector<std::uint64_t> Ledger::missing(std::uint64_t end, std::size_t most) const {
  std::vector<std::uint64_t> found;
  for (std::uint64_t id = 0; id < end && found.size() < most; ++id)
    if (id >= seen_.size() || !seen_[id]) found.push_back(id);
  return found;
}

}  // namespace tapal::bench
