#include "rules/provision/firewall.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

namespace tapal::provision {
namespace {

const std::vector<std::uint16_t> ports{25, 80, 443, 465, 587};

struct Case {
  std::string_view what;
  FirewallSight sight;
  std::string name;
  std::vector<std::uint16_t> shut;
  std::string commands;
};

void check(const std::vector<Case>& cases) {
  for (const auto& [what, sight, name, shut, commands] : cases) {
    const auto advice = firewall_advice(sight, ports);
    EXPECT_EQ(advice ? std::string(advice->name) : "none", name) << what;
    if (!advice) continue;
    EXPECT_EQ(fmt::format("{}", advice->shut), fmt::format("{}", shut)) << what;
    EXPECT_EQ(advice->commands, commands) << what;
  }
}

TEST(Firewall, none_is_at_work_where_none_says_so) {
  check(
      {{"nothing installed", {}, "none", {}, ""},
       {"ufw is off", {.ufw = "Status: inactive\n"}, "none", {}, ""},
       {"firewalld does not run", {.firewalld = "not running\n"}, "none", {}, ""},
       {"a ban list",
        {.nftables = "table inet f2b {\n\tchain input {\n\t\ttype filter hook input priority "
                     "filter - 1; policy accept;\n\t\ttcp dport 22 ip saddr @bad reject with icmp "
                     "port-unreachable\n\t}\n}\n"},
        "none",
        {},
        ""},
       {"only what is passed on is kept out",
        {.nftables = "table ip filter {\n\tchain FORWARD {\n\t\ttype filter hook forward priority "
                     "filter; policy drop;\n\t}\n}\n"},
        "none",
        {},
        ""}});
}

TEST(Firewall, of_ufw) {
  constexpr std::string_view head =
      "Status: active\n\nTo                         Action      From\n"
      "--                         ------      ----\n"
      "22/tcp                     ALLOW       Anywhere\n";
  const std::string begin(head);
  check({{"only ssh", {.ufw = begin}, "ufw", ports, "ufw allow 25,80,443,465,587/tcp"},
         {"some, and not for all",
          {.ufw = begin + "80,443/tcp                 ALLOW       Anywhere\n"
                          "25/tcp                     ALLOW       10.0.0.0/8\n"
                          "465/udp                    ALLOW       Anywhere\n"
                          "587/tcp                    DENY        Anywhere\n"},
          "ufw",
          {25, 465, 587},
          "ufw allow 25,465,587/tcp"},
         {"all",
          {.ufw = begin + "20:90/tcp                  ALLOW IN    Anywhere\n"
                          "443,465,587                ALLOW       Anywhere\n"},
          "ufw",
          {},
          ""}});
}

TEST(Firewall, of_firewalld) {
  const auto zone = [](std::string_view target, std::string_view services, std::string_view open) {
    return fmt::format(
        "public (active)\n  target: {}\n  interfaces: eth0\n  services: {}\n  ports: {}\n",
        target,
        services,
        open);
  };
  check({{"two by name, one by number, one for udp alone",
          {.firewalld = zone("default", "ssh smtp https", "465/tcp 587/udp")},
          "firewalld",
          {80, 587},
          "firewall-cmd --permanent --add-port=80/tcp --add-port=587/tcp\nfirewall-cmd --reload"},
         {"all", {.firewalld = zone("ACCEPT", "ssh", "")}, "firewalld", {}, ""}});
}

TEST(Firewall, of_nftables) {
  const auto table = [](std::string_view policy, std::string_view rules) {
    return fmt::format(
        "table inet filter {{\n\tset bad {{\n\t\ttype ipv4_addr\n\t}}\n\n\tchain input {{\n"
        "\t\ttype filter hook input priority filter; policy {};\n{}\t}}\n}}\n",
        policy,
        rules);
  };
  const std::string keep = "and the same rules in /etc/nftables.conf, for the next start";
  check(
      {{"a policy of drop",
        {.nftables = table("drop",
                           "\t\tct state established,related accept\n\t\ttcp dport 22 accept\n"
                           "\t\tip saddr 10.0.0.0/8 tcp dport 25 accept\n"
                           "\t\ttcp dport { 80, 443, 460-470 } counter packets 25 bytes 587 "
                           "accept\n")},
        "nftables",
        {25, 587},
        "nft insert rule inet filter input tcp dport '{ 25, 587 }' accept\n" + keep},
       {"a last word",
        {.nftables = table("accept", "\t\ttcp dport 22-500 accept\n\t\treject with icmpx 1\n")},
        "nftables",
        {587},
        "nft insert rule inet filter input tcp dport '{ 587 }' accept\n" + keep},
       {"as iptables counts it",
        {.nftables = table("accept", "\t\tcounter packets 5 bytes 300 drop\n")},
        "nftables",
        ports,
        "nft insert rule inet filter input tcp dport '{ 25, 80, 443, 465, 587 }' accept\n" + keep},
       {"all", {.nftables = table("drop", "\t\ttcp dport 1-1024 accept\n")}, "nftables", {}, ""}});
}

TEST(Firewall, of_each_family_has_its_own_rules) {
  const std::string two =
      "table ip filter {\n\tchain INPUT {\n\t\ttype filter hook input priority filter; policy "
      "drop;\n\t\ttcp dport { 25, 80, 443, 465, 587 } accept\n\t}\n}\n"
      "table ip6 filter {\n\tchain INPUT {\n\t\ttype filter hook input priority filter; policy "
      "drop;\n\t\ttcp dport { 80, 443, 465, 587 } accept\n\t}\n}\n";
  const auto advice = firewall_advice({.nftables = two}, ports);
  ASSERT_TRUE(advice);
  EXPECT_EQ(advice->shut, (std::vector<std::uint16_t>{25}));
  EXPECT_TRUE(advice->commands.starts_with("nft insert rule ip6 filter INPUT tcp dport '{ 25 }'"));
}

}  // namespace
}  // namespace tapal::provision
