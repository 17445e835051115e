// Whether this machine's own firewall lets mail in, by what ufw, firewalld or nftables themselves
// print, and the commands that open it. Nobody's firewall is changed by us.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tapal::provision {

struct FirewallSight {
  std::string ufw;        // `ufw status`
  std::string firewalld;  // `firewall-cmd --list-all`, where it runs
  std::string nftables;   // `nft list ruleset`; what iptables set is in it, too
};

struct FirewallAdvice {
  std::string_view name;              // "ufw"
  std::vector<std::uint16_t> shut{};  // of the ports that were asked for; none: all is well
  std::string commands{};             // a line each; they open what is shut, for good
};

// Nothing: no firewall that is known is at work. Rules that let only some in do not count as open.
std::optional<FirewallAdvice> firewall_advice(const FirewallSight& sight,
                                              const std::vector<std::uint16_t>& ports);

}  // namespace tapal::provision
