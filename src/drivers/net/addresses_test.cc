#include "drivers/net/addresses.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "drivers/net/socket_address.h"

namespace tapal {
namespace {

TEST(LocalAddresses, hold_loopback) {
  const auto all = local_addresses();
  EXPECT_NE(std::ranges::find(all, IpAddress::v4({127, 0, 0, 1})), all.end());
}

TEST(AddressTowards, is_the_one_the_system_chooses) {
  const auto loopback = IpAddress::v4({127, 0, 0, 1});
  EXPECT_EQ(address_towards(loopback), loopback);
  const auto all = local_addresses();
  const auto outwards = address_towards(IpAddress::v4({198, 41, 0, 4}));
  if (outwards) {
    EXPECT_NE(std::ranges::find(all, *outwards), all.end());
  }
}

TEST(AddressesOf, takes_literals_as_they_are) {
  for (const char* literal : {"192.0.2.7", "2001:db8::7"}) {
    const auto addresses = addresses_of(literal);
    ASSERT_TRUE(addresses) << literal;
    ASSERT_EQ(addresses->size(), 1U) << literal;
    EXPECT_EQ(addresses->front().text(), literal);
  }
}

TEST(AddressesOf, finds_localhost_without_repeating) {
  const auto addresses = addresses_of("localhost");
  ASSERT_TRUE(addresses) << addresses.error().what;
  ASSERT_FALSE(addresses->empty());
  for (const auto& each : *addresses) {
    EXPECT_TRUE(each.is_loopback()) << each.text();
    EXPECT_EQ(std::ranges::count(*addresses, each), 1) << each.text();
  }
}

// Names that no query is made for: longer than a name may be.
TEST(AddressesOf, tells_what_it_does_not_find) {
  const std::string host(300, 'x');
  const auto addresses = addresses_of(host);
  ASSERT_FALSE(addresses);
  EXPECT_EQ(addresses.error().code, Code::not_found);
  EXPECT_TRUE(addresses.error().what.starts_with(host + ": ")) << addresses.error().what;
}

TEST(SocketAddress, comes_back_as_the_same_endpoint) {
  for (const char* text : {"127.0.0.1:25", "255.1.2.3:65535", "[::1]:0", "[2001:db8::1]:587"}) {
    const auto endpoint = Endpoint::from_text(text).value();
    EXPECT_EQ(endpoint_of(SocketAddress(endpoint).storage), endpoint) << text;
  }
  EXPECT_EQ(endpoint_of({}), Endpoint());
  EXPECT_EQ(local_endpoint(-1), Endpoint());
  EXPECT_EQ(remote_endpoint(-1), Endpoint());
}

}  // namespace
}  // namespace tapal
