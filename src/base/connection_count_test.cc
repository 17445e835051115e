#include "base/connection_count.h"

#include <gtest/gtest.h>

namespace tapal {
namespace {

using Verdict = ConnectionCount::Verdict;

IpAddress ip(std::string_view text) { return IpAddress::from_text(text).value(); }

TEST(ConnectionCount, bounds_what_one_peer_can_have) {
  ConnectionCount count({.all_max = 100, .per_address_max = 2});
  EXPECT_EQ(count.enter(ip("192.0.2.1")), Verdict::admitted);
  EXPECT_EQ(count.enter(ip("192.0.2.1")), Verdict::admitted);
  EXPECT_EQ(count.enter(ip("192.0.2.1")), Verdict::too_many_from_address);
  EXPECT_EQ(count.enter(ip("192.0.2.2")), Verdict::admitted);
  count.leave(ip("192.0.2.1"));
  EXPECT_EQ(count.enter(ip("192.0.2.1")), Verdict::admitted);
  EXPECT_EQ(count.count(), 3U);
}

TEST(ConnectionCount, takes_an_ipv6_network_of_64_bits_for_one_peer) {
  ConnectionCount count({.all_max = 100, .per_address_max = 2});
  EXPECT_EQ(count.enter(ip("2001:db8:1:2::1")), Verdict::admitted);
  EXPECT_EQ(count.enter(ip("2001:db8:1:2:ffff::2")), Verdict::admitted);
  EXPECT_EQ(count.enter(ip("2001:db8:1:2::3")), Verdict::too_many_from_address);
  EXPECT_EQ(count.enter(ip("2001:db8:1:3::1")), Verdict::admitted);
  count.leave(ip("2001:db8:1:2:abcd::9"));  // any address of the network
  EXPECT_EQ(count.enter(ip("2001:db8:1:2::3")), Verdict::admitted);
}

TEST(ConnectionCount, bounds_all_of_them) {
  ConnectionCount count({.all_max = 2, .per_address_max = 2});
  EXPECT_EQ(count.enter(ip("192.0.2.1")), Verdict::admitted);
  EXPECT_EQ(count.enter(ip("2001:db8::1")), Verdict::admitted);
  EXPECT_EQ(count.enter(ip("192.0.2.3")), Verdict::too_many);
  count.leave(ip("192.0.2.3"));  // was never admitted
  EXPECT_EQ(count.count(), 2U);
  count.leave(ip("192.0.2.1"));
  EXPECT_EQ(count.enter(ip("192.0.2.3")), Verdict::admitted);
}

}  // namespace
}  // namespace tapal
