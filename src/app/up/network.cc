// What keeps mail out, or to IPv4: the machine's firewall, and an IPv6 that is not switched on.
#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "app/cli/system_programs.h"
#include "app/up/up.h"
#include "drivers/files/files.h"
#include "drivers/net/addresses.h"
#include "rules/provision/firewall.h"
#include "rules/provision/ipv6_fix.h"
#include "values/text/ascii.h"

namespace tapal::app {
namespace {

namespace fs = std::filesystem;
using provision::NetworkManner;

constexpr std::size_t small_file_bytes_max = 64UL * 1024;
constexpr mode_t network_file_mode = 0600;  // netplan complains of anything wider

std::string below_root(const Up& up, std::string_view path) {
  return files::read_file(fs::path(up.options.root) / path, small_file_bytes_max).value_or("");
}

std::vector<std::uint16_t> ports_of_mail(const Up& up) {
  std::vector<std::uint16_t> ports{25, 465, 587};
  const auto settings = load_settings(up.common.config);
  if (!settings || !settings->listen.http.empty()) ports.push_back(80);
  if (!settings || !settings->listen.https.empty()) ports.push_back(443);
  std::ranges::sort(ports);
  return ports;
}

void look_at_firewall(Up& up) {
  const provision::FirewallSight sight{
      .ufw = ask_program({"ufw", "status"}).value_or(""),
      .firewalld = ask_program({"firewall-cmd", "--list-all"}).value_or(""),
      .nftables = ask_program({"nft", "list", "ruleset"}).value_or("")};
  const auto advice = firewall_advice(sight, ports_of_mail(up));
  if (!advice)
    up.report.tell(Mark::fine, "no firewall of this machine's own keeps mail out");
  else if (advice->shut.empty())
    up.report.tell(Mark::fine, fmt::format("{} lets mail in", advice->name));
  else
    up.report.tell(Mark::by_hand,
                   fmt::format("{} keeps out what comes to port {}; open it with\n{}",
                               advice->name,
                               fmt::join(advice->shut, ", "),
                               advice->commands));
}

bool has_netplan(const Up& up) {
  std::error_code none;
  for (fs::directory_iterator at(fs::path(up.options.root) / "etc/netplan", none), end;
       !none && at != end;
       at.increment(none))
    if (at->path().extension() == ".yaml") return true;
  return false;
}

NetworkManner network_manner(const Up& up) {
  if (has_netplan(up)) return NetworkManner::netplan;
  const bool reads_folder = below_root(up, "etc/network/interfaces").contains("interfaces.d");
  return reads_folder ? NetworkManner::ifupdown : NetworkManner::other;
}

// Of the lines "eth0 00000000 0102030A ...": the one whose destination is everything.
std::string interface_of_way_out(const Up& up) {
  const auto routes = below_root(up, "proc/net/route");
  for (const auto line : text::split(routes, '\n')) {
    const auto words = text::words(line);
    if (words.size() > 1 && words[1] == "00000000") return std::string(words.front());
  }
  return {};
}

provision::Ipv6Facts ipv6_facts(const Up& up) {
  provision::Ipv6Facts facts;
  facts.is_off = below_root(up, "proc/sys/net/ipv6/conf/all/disable_ipv6").starts_with('1');
  facts.manner = network_manner(up);
  facts.interface = interface_of_way_out(up);
  for (const auto& address : up.addresses)
    if (!address.is_v4()) facts.address = address;
  return facts;
}

Result<void> write_files(Up& up, const provision::Ipv6Fix& fix) {
  const bool writes = up.options.yes && !up.only_plans();
  for (const auto& [path, text] : fix.files) {
    const auto below = fs::path(path).relative_path();
    if (below_root(up, below.string()) == text) {
      up.report.tell(Mark::fine, path + " is written");
      continue;
    }
    if (writes) {
      TAPAL_CHECK(
          files::write_atomically(fs::path(up.options.root) / below, text, network_file_mode));
    }
    up.report.tell(writes ? Mark::changed : Mark::planned, fmt::format("{}:\n{}", path, text));
  }
  if (!fix.commands.empty())
    up.report.tell(Mark::by_hand,
                   "these commands make IPv6 hold now; then run this again\n" + fix.commands);
  return {};
}

bool has_ipv6(const Up& up) {
  const auto ours = public_addresses();
  return std::ranges::any_of(up.addresses, [&ours](const IpAddress& address) {
    return !address.is_v4() && std::ranges::find(ours, address) != ours.end();
  });
}

Result<void> look_at_ipv6(Up& up) {
  if (has_ipv6(up)) return {};
  const auto facts = ipv6_facts(up);
  const auto fix = ipv6_fix(facts);
  if (up.options.fix_ipv6 && !fix.commands.empty()) return write_files(up, fix);
  up.report.tell(
      Mark::by_hand,
      fmt::format("mail goes out by IPv4 alone, which works{}. With the IPv6 address that your "
                  "hoster's panel shows, --address IPV4 --address IPV6 --fix-ipv6 shows what this "
                  "machine lacks; with --yes it is written",
                  facts.is_off ? "; IPv6 is switched off on this machine" : ""));
  return {};
}

}  // namespace

Result<void> up_network(Up& up) {
  look_at_firewall(up);
  return look_at_ipv6(up);
}

}  // namespace tapal::app
