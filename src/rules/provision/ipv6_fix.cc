#include "rules/provision/ipv6_fix.h"

#include <fmt/format.h>

namespace tapal::provision {
namespace {

constexpr int prefix_bits = 64;
constexpr std::string_view way_out = "fe80::1";
constexpr std::string_view written_by = "# Written by tapal up --fix-ipv6.\n";

FileToWrite switch_on() {
  return {"/etc/sysctl.d/60-tapal-ipv6.conf",
          fmt::format("{}net.ipv6.conf.all.disable_ipv6 = 0\n"
                      "net.ipv6.conf.default.disable_ipv6 = 0\n",
                      written_by)};
}

FileToWrite netplan_file(const std::string& interface, const IpAddress& address) {
  return {"/etc/netplan/60-tapal-ipv6.yaml",
          fmt::format("{}network:\n"
                      "  version: 2\n"
                      "  ethernets:\n"
                      "    {}:\n"
                      "      addresses: [\"{}/{}\"]\n"
                      "      routes:\n"
                      "        - to: \"::/0\"\n"
                      "          via: \"{}\"\n"
                      "          on-link: true\n",
                      written_by,
                      interface,
                      address.text(),
                      prefix_bits,
                      way_out)};
}

FileToWrite ifupdown_file(const std::string& interface, const IpAddress& address) {
  return {"/etc/network/interfaces.d/60-tapal-ipv6",
          fmt::format("{}iface {} inet6 static\n"
                      "    address {}/{}\n"
                      "    gateway {}\n",
                      written_by,
                      interface,
                      address.text(),
                      prefix_bits,
                      way_out)};
}

void add_address(const Ipv6Facts& facts, const IpAddress& address, Ipv6Fix& fix) {
  switch (facts.manner) {
    case NetworkManner::netplan:
      fix.files.push_back(netplan_file(facts.interface, address));
      fix.commands += "netplan try\n";
      break;
    case NetworkManner::ifupdown:
      fix.files.push_back(ifupdown_file(facts.interface, address));
      break;
    case NetworkManner::other: break;
  }
  // Without a break of the connection that somebody types over.
  if (facts.manner != NetworkManner::netplan)
    fix.commands +=
        fmt::format("ip -6 address add {0}/{1} dev {2}\nip -6 route add default via {3} dev {2}\n",
                    address.text(),
                    prefix_bits,
                    facts.interface,
                    way_out);
}

}  // namespace

Ipv6Fix ipv6_fix(const Ipv6Facts& facts) {
  Ipv6Fix fix;
  if (facts.is_off) {
    fix.files.push_back(switch_on());
    fix.commands += "sysctl --system\n";
  }
  if (facts.address && !facts.interface.empty()) add_address(facts, *facts.address, fix);
  if (!fix.commands.empty()) fix.commands.pop_back();
  return fix;
}

}  // namespace tapal::provision
