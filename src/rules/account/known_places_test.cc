#include "rules/account/known_places.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace tapal::account {
namespace {

using Nearness = KnownPlaces::Nearness;
using std::chrono::days;
using std::chrono::minutes;

constexpr Instant start = Instant() + days(1);

IpAddress ip(std::string_view text) { return IpAddress::from_text(text).value(); }

TEST(KnownPlaces, tells_known_nearby_and_strange_places_apart) {
  KnownPlaces places({});
  places.remember("ann", ip("192.0.2.7"), start);
  places.remember("ann", ip("2001:db8:1:2::7"), start);
  const std::pair<std::string_view, Nearness> cases[] = {
      {"192.0.2.7", Nearness::known},
      {"192.0.2.8", Nearness::nearby},
      {"192.0.255.1", Nearness::nearby},
      {"192.1.2.7", Nearness::strange},
      {"2001:db8:1:2::9", Nearness::known},
      {"2001:db8:1:3::7", Nearness::nearby},
      {"2001:db8:2:2::7", Nearness::strange},
  };
  for (const auto& [peer, nearness] : cases) {
    SCOPED_TRACE(peer);
    EXPECT_EQ(places.nearness("ann", ip(peer), start), nearness);
    EXPECT_EQ(places.nearness("bob", ip(peer), start), Nearness::strange);
  }
}

TEST(KnownPlaces, forgets_what_was_not_used_for_long) {
  KnownPlaces places({.lifetime = days(90)});
  places.remember("ann", ip("192.0.2.7"), start);
  places.remember("ann", ip("198.51.100.1"), start);
  places.remember("ann", ip("192.0.2.7"), start + days(50));
  EXPECT_EQ(places.nearness("ann", ip("192.0.2.7"), start + days(100)), Nearness::known);
  EXPECT_EQ(places.nearness("ann", ip("198.51.100.1"), start + days(100)), Nearness::strange);
  EXPECT_EQ(places.nearness("ann", ip("192.0.2.7"), start + days(140)), Nearness::strange);
}

TEST(KnownPlaces, keeps_the_home_when_a_service_sends_from_many_addresses) {
  KnownPlaces places({});
  places.remember("ann", ip("192.0.2.7"), start);
  for (int i = 0; i < 1000; ++i)
    places.remember(
        "ann", ip(fmt::format("209.85.{}.{}", i % 250, i / 250 + 1)), start + minutes(i));
  const auto now = start + minutes(1000);
  EXPECT_EQ(places.nearness("ann", ip("192.0.2.7"), now), Nearness::known);
  EXPECT_EQ(places.nearness("ann", ip("209.85.249.4"), now), Nearness::known);
  EXPECT_EQ(places.nearness("ann", ip("209.85.1.1"), now), Nearness::nearby);
}

TEST(KnownPlaces, are_bounded_in_places_and_accounts) {
  KnownPlaces places({.accounts_max = 2});
  for (int i = 0; i < 100; ++i)
    places.remember("ann", ip(fmt::format("10.{}.0.1", i)), start + minutes(i));
  const auto now = start + minutes(100);
  EXPECT_EQ(places.nearness("ann", ip("10.35.0.1"), now), Nearness::strange);
  EXPECT_EQ(places.nearness("ann", ip("10.36.0.1"), now), Nearness::known);
  places.remember("bob", ip("10.0.0.1"), now);
  places.remember("cyd", ip("10.0.0.1"), now);
  EXPECT_EQ(places.nearness("ann", ip("10.99.0.1"), now), Nearness::strange);
  EXPECT_EQ(places.nearness("bob", ip("10.0.0.1"), now), Nearness::known);
}

}  // namespace
}  // namespace tapal::account
