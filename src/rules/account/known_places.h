// Where each account has logged in from, well and lately. So that strangers who guess cannot keep
// the owner out, and a service that sends from many addresses is known after its first login.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/ip_address.h"
#include "base/time.h"
#include "rules/account/recent_map.h"

namespace tapal::account {

// What a peer's address is part of.
IpNetwork place_of(const IpAddress& peer);          // the address itself, or an IPv6 /64
IpNetwork network_of(const IpAddress& peer);        // /24, or an IPv6 /64
IpNetwork neighbourhood_of(const IpAddress& peer);  // /16, or an IPv6 /48

class KnownPlaces {
 public:
  static constexpr std::size_t places_max = 64;  // of one account
  static constexpr std::size_t places_in_neighbourhood_max =
      16;  // of these, so that Google's many
           // do not drive out the one at home
  struct Limits {
    std::size_t accounts_max = 10'000;
    Duration lifetime = std::chrono::days(90);  // since the last login from there
  };
  explicit KnownPlaces(Limits limits) : limits_(limits), by_account_(limits.accounts_max) {}

  enum class Nearness : std::uint8_t {
    strange,
    nearby,  // another place of the same neighbourhood has logged in
    known,   // this very place has
  };
  Nearness nearness(std::string_view account, const IpAddress& peer, Instant now);
  void remember(std::string_view account, const IpAddress& peer, Instant now);

 private:
  struct Place {
    IpAddress peer;
    Instant last{};
  };
  Limits limits_;
  RecentMap<std::vector<Place>> by_account_;
};

}  // namespace tapal::account
