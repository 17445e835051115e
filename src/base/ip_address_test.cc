#include "base/ip_address.h"

#include <gtest/gtest.h>

namespace tapal {
namespace {

TEST(IpAddress, prints_what_it_parsed) {
  for (const char* text : {"192.0.2.1", "::1", "2001:db8::1", "fe80::1:2:3", "::"})
    EXPECT_EQ(IpAddress::from_text(text).value().text(), text);
  EXPECT_EQ(IpAddress::from_text("2001:DB8:0:0:0:0:0:1").value().text(), "2001:db8::1");
}

TEST(IpAddress, refuses_what_is_not_an_address) {
  for (const char* text :
       {"", "1.2.3", "1.2.3.256", "01.2.3.4", "::g", "[::1]", "::1%lo", "localhost"})
    EXPECT_FALSE(IpAddress::from_text(text)) << text;
  EXPECT_FALSE(IpAddress::from_text(std::string_view("192.0.2.1\0", 10)));
}

TEST(IpAddress, knows_private_places) {
  for (const char* text : {"127.0.0.1",
                           "10.1.2.3",
                           "172.31.0.1",
                           "192.168.1.1",
                           "100.64.0.1",
                           "169.254.1.1",
                           "224.0.0.1",
                           "255.255.255.255",
                           "0.0.0.0",
                           "::1",
                           "::",
                           "fd00::1",
                           "fe80::1",
                           "ff02::1"})
    EXPECT_TRUE(IpAddress::from_text(text).value().is_private()) << text;
  for (const char* text : {"8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00::1"})
    EXPECT_FALSE(IpAddress::from_text(text).value().is_private()) << text;
}

TEST(IpAddress, writes_smtp_literals) {
  EXPECT_EQ(IpAddress::from_text("192.0.2.1").value().smtp_literal(), "[192.0.2.1]");
  EXPECT_EQ(IpAddress::from_text("2001:db8::1").value().smtp_literal(), "[IPv6:2001:db8::1]");
}

TEST(IpNetwork, contains_its_addresses_of_the_same_family_only) {
  const auto network = IpNetwork::from_text("192.0.2.128/25").value();
  EXPECT_TRUE(network.contains(IpAddress::from_text("192.0.2.200").value()));
  EXPECT_FALSE(network.contains(IpAddress::from_text("192.0.2.127").value()));
  EXPECT_FALSE(
      IpNetwork::from_text("::/0").value().contains(IpAddress::from_text("192.0.2.1").value()));
  EXPECT_EQ(network.text(), "192.0.2.128/25");
  EXPECT_FALSE(IpNetwork::from_text("192.0.2.0/33"));
  EXPECT_FALSE(IpNetwork::from_text("::1/129"));
}

TEST(Endpoint, prints_what_it_parsed) {
  for (const char* text : {"192.0.2.1:25", "[::1]:2525"})
    EXPECT_EQ(Endpoint::from_text(text).value().text(), text);
  for (const char* text :
       {"::1:25", "[192.0.2.1]:25", "192.0.2.1", "192.0.2.1:", "192.0.2.1:65536", ":25"})
    EXPECT_FALSE(Endpoint::from_text(text)) << text;
}

}  // namespace
}  // namespace tapal
