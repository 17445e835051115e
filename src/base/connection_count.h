// How many connections there are, in all and from each network of one peer, and the bounds on both.
// Safe from any thread.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "base/ip_address.h"

namespace tapal {

struct ConnectionLimits {
  std::size_t all_max = 10'000;  // on all listeners together
  std::size_t per_address_max =
      100;  // from one IPv4 address, or one IPv6 /64: what one peer can have
};

class ConnectionCount {
 public:
  explicit ConnectionCount(ConnectionLimits limits) : limits_(limits) {}

  enum class Verdict : std::uint8_t { admitted, too_many, too_many_from_address };
  Verdict enter(const IpAddress& address);  // count it, unless a bound is reached
  void leave(const IpAddress& address);     // once for each admitted one
  std::size_t count() const;

 private:
  static IpAddress peer_of(IpAddress address);

  ConnectionLimits limits_;
  mutable std::mutex mutex_;
  std::size_t all_ = 0;
  std::map<IpAddress, std::size_t> by_peer_;
};

}  // namespace tapal
