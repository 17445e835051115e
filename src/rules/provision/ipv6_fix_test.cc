#include "rules/provision/ipv6_fix.h"

#include <gtest/gtest.h>

namespace tapal::provision {
namespace {

const auto address = IpAddress::from_text("2a0f:1::10").value();

TEST(Ipv6Fix, switches_it_on_where_it_is_off) {
  const auto fix = ipv6_fix({.is_off = true});
  ASSERT_EQ(fix.files.size(), 1U);
  EXPECT_EQ(fix.files.front().path, "/etc/sysctl.d/60-tapal-ipv6.conf");
  EXPECT_TRUE(fix.files.front().text.contains("\nnet.ipv6.conf.all.disable_ipv6 = 0\n"));
  EXPECT_EQ(fix.commands, "sysctl --system");
}

TEST(Ipv6Fix, adds_the_address_as_the_machine_has_its_others) {
  struct Case {
    NetworkManner manner;
    std::string_view path, line, commands;
  };
  constexpr std::string_view by_hand =
      "ip -6 address add 2a0f:1::10/64 dev eth0\nip -6 route add default via fe80::1 dev eth0";
  for (const auto& [manner, path, line, commands] :
       {Case{NetworkManner::netplan,
             "/etc/netplan/60-tapal-ipv6.yaml",
             "      addresses: [\"2a0f:1::10/64\"]\n",
             "netplan try"},
        Case{NetworkManner::ifupdown,
             "/etc/network/interfaces.d/60-tapal-ipv6",
             "iface eth0 inet6 static\n    address 2a0f:1::10/64\n    gateway fe80::1\n",
             by_hand}}) {
    const auto fix = ipv6_fix({.manner = manner, .interface = "eth0", .address = address});
    ASSERT_EQ(fix.files.size(), 1U);
    EXPECT_EQ(fix.files.front().path, path);
    EXPECT_TRUE(fix.files.front().text.contains(line)) << fix.files.front().text;
    EXPECT_EQ(fix.commands, commands);
  }
  const auto other = ipv6_fix({.interface = "eth0", .address = address});
  EXPECT_TRUE(other.files.empty());
  EXPECT_EQ(other.commands, by_hand);
}

TEST(Ipv6Fix, does_nothing_where_nothing_is_known) {
  for (const auto& facts :
       {Ipv6Facts{}, Ipv6Facts{.address = address}, Ipv6Facts{.interface = "eth0"}}) {
    EXPECT_TRUE(ipv6_fix(facts).files.empty());
    EXPECT_EQ(ipv6_fix(facts).commands, "");
  }
}

}  // namespace
}  // namespace tapal::provision
