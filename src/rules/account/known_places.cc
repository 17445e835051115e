#include "rules/account/known_places.h"

#include <algorithm>
#include <cstddef>

namespace tapal::account {
namespace {

// The network that holds `peer`, of that many bits of its own family: whole bytes.
IpNetwork around(const IpAddress& peer, std::size_t bits_v4, std::size_t bits_v6) {
  constexpr std::size_t mapped_bits = 96;
  const std::size_t bits = peer.is_v4() ? mapped_bits + bits_v4 : bits_v6;
  IpNetwork network{peer, static_cast<std::uint8_t>(bits)};
  std::fill(network.address.bytes.begin() + static_cast<std::ptrdiff_t>(bits / 8),
            network.address.bytes.end(),
            std::uint8_t{0});
  return network;
}

bool are_neighbours(const IpAddress& a, const IpAddress& b) {
  return neighbourhood_of(a).address == neighbourhood_of(b).address;
}

}  // namespace

IpNetwork place_of(const IpAddress& peer) { return around(peer, 32, 64); }
IpNetwork network_of(const IpAddress& peer) { return around(peer, 24, 64); }
IpNetwork neighbourhood_of(const IpAddress& peer) { return around(peer, 16, 48); }

KnownPlaces::Nearness KnownPlaces::nearness(std::string_view account,
                                            const IpAddress& peer,
                                            Instant now) {
  auto* places = by_account_.find(account);
  if (places == nullptr) return Nearness::strange;
  const auto is_old = [&](const Place& place) { return now - place.last >= limits_.lifetime; };
  std::erase_if(*places, is_old);
  const auto here = place_of(peer).address;
  auto nearness = Nearness::strange;
  for (const auto& place : *places) {
    if (place.peer == here) return Nearness::known;
    if (are_neighbours(place.peer, here)) nearness = Nearness::nearby;
  }
  return nearness;
}

void KnownPlaces::remember(std::string_view account, const IpAddress& peer, Instant now) {
  auto& places = by_account_.at(account);
  const auto here = place_of(peer).address;
  const auto same = std::ranges::find(places, here, &Place::peer);
  if (same != places.end()) {
    same->last = now;
    return;
  }
  const auto is_near = [&](const Place& place) { return are_neighbours(place.peer, here); };
  const bool near_ones_are_many =
      std::ranges::count_if(places, is_near) >= std::ptrdiff_t{places_in_neighbourhood_max};
  if (near_ones_are_many || places.size() >= places_max) {
    // The oldest gives way: of the neighbourhood where that is full, else of all.
    const auto counts = [&](const Place& place) { return !near_ones_are_many || is_near(place); };
    auto oldest = places.end();
    for (auto place = places.begin(); place != places.end(); ++place)
      if (counts(*place) && (oldest == places.end() || place->last < oldest->last)) oldest = place;
    places.erase(oldest);
  }
  places.push_back({here, now});
}

}  // namespace tapal::account
