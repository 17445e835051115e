#include "base/connection_count.h"

#include <algorithm>

namespace tapal {

ConnectionCount::Verdict ConnectionCount::enter(const IpAddress& address) {
  const std::scoped_lock lock(mutex_);
  if (all_ >= limits_.all_max) return Verdict::too_many;
  auto& from_peer = by_peer_[peer_of(address)];
  if (from_peer >= limits_.per_address_max) return Verdict::too_many_from_address;
  ++from_peer;
  ++all_;
  return Verdict::admitted;
}

void ConnectionCount::leave(const IpAddress& address) {
  const std::scoped_lock lock(mutex_);
  const auto entry = by_peer_.find(peer_of(address));
  if (entry == by_peer_.end()) return;
  --all_;
  if (--entry->second == 0) by_peer_.erase(entry);
}

std::size_t ConnectionCount::count() const {
  const std::scoped_lock lock(mutex_);
  return all_;
}

IpAddress ConnectionCount::peer_of(IpAddress address) {
  if (!address.is_v4()) std::fill(address.bytes.begin() + 8, address.bytes.end(), std::uint8_t{0});
  return address;
}

}  // namespace tapal
