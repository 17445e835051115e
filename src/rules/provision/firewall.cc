#include "rules/provision/firewall.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "values/text/ascii.h"

namespace tapal::provision {
namespace {

using Ports = std::vector<std::uint16_t>;

bool is_in(std::string_view token, std::uint16_t port) {
  const auto middle = token.find_first_of("-:");
  const auto first = text::to_number<std::uint16_t>(token.substr(0, middle));
  if (!first || middle == token.npos) return first == port;
  const auto last = text::to_number<std::uint16_t>(token.substr(middle + 1));
  return last && *first <= port && port <= *last;
}

// Among numbers and ranges, whatever stands between them: "{ 25, 465, 4000-4010 }", "80:90/tcp".
bool names_port(std::string_view list, std::uint16_t port) {
  constexpr std::string_view parts = "0123456789-:";
  while (!list.empty()) {
    const auto begin = list.find_first_of(parts);
    if (begin == list.npos) return false;
    list.remove_prefix(begin);
    const auto end = std::min(list.find_first_not_of(parts), list.size());
    if (is_in(list.substr(0, end), port)) return true;
    list.remove_prefix(end);
  }
  return false;
}

// "80,443/tcp    ALLOW       Anywhere"
bool ufw_opens(std::string_view line, std::uint16_t port) {
  const auto allow = line.find(" ALLOW ");
  if (allow == line.npos || !line.substr(allow).contains("Anywhere")) return false;
  const auto to = line.substr(0, allow);
  return !to.contains("/udp") && names_port(to, port);
}

std::string_view firewalld_service(std::uint16_t port) {
  switch (port) {
    case 25: return "smtp";
    case 80: return "http";
    case 443: return "https";
    case 465: return "smtps";
    case 587: return "smtp-submission";
    default: return "none";
  }
}

bool firewalld_opens(std::string_view line, std::uint16_t port) {
  line = text::trim(line);
  if (line.starts_with("target: ")) return line.ends_with(" ACCEPT");
  if (line.starts_with("ports: "))
    return std::ranges::any_of(text::words(line), [port](std::string_view word) {
      return word.ends_with("/tcp") && names_port(word, port);
    });
  if (!line.starts_with("services: ")) return false;
  const auto services = text::words(line);
  return std::ranges::find(services, firewalld_service(port)) != services.end();
}

template <class Opens>
Ports shut_ports(std::string_view printed, const Ports& ports, Opens opens) {
  const auto lines = text::split(printed, '\n');
  Ports shut;
  std::ranges::copy_if(ports, std::back_inserter(shut), [&](std::uint16_t port) {
    return std::ranges::none_of(lines, [&](std::string_view line) { return opens(line, port); });
  });
  return shut;
}

FirewallAdvice ask_ufw(std::string_view printed, const Ports& ports) {
  FirewallAdvice advice{"ufw", shut_ports(printed, ports, &ufw_opens)};
  if (!advice.shut.empty())
    advice.commands = fmt::format("ufw allow {}/tcp", fmt::join(advice.shut, ","));
  return advice;
}

FirewallAdvice ask_firewalld(std::string_view printed, const Ports& ports) {
  FirewallAdvice advice{"firewalld", shut_ports(printed, ports, &firewalld_opens)};
  if (advice.shut.empty()) return advice;
  advice.commands = "firewall-cmd --permanent";
  for (const auto port : advice.shut) advice.commands += fmt::format(" --add-port={}/tcp", port);
  advice.commands += "\nfirewall-cmd --reload";
  return advice;
}

// A table of nftables: the rules of all its chains, and the chains that packets come in by and that
// let nothing through which no rule names.
struct Table {
  std::string_view name;  // "inet filter"
  std::vector<std::string_view> rules;
  std::vector<std::string_view> closing;  // names of chains
};

bool ends_it_all(std::string_view rule) {
  if (rule.starts_with("counter ")) rule = rule.substr(std::min(rule.rfind(' ') + 1, rule.size()));
  return rule == "drop" || rule.starts_with("reject");
}

std::string_view name_of(std::string_view header, std::string_view kind) {
  header.remove_prefix(kind.size());
  return text::trim(header.substr(0, header.rfind('{')));
}

std::vector<Table> tables_of(std::string_view ruleset) {
  std::vector<Table> tables;
  std::string_view chain;
  bool comes_in = false;
  bool closes = false;
  for (const auto whole : text::split(ruleset, '\n')) {
    const auto line = text::trim(whole);
    if (line.starts_with("table ")) {
      tables.push_back({.name = name_of(line, "table "), .rules = {}, .closing = {}});
    } else if (line.starts_with("chain ")) {
      chain = name_of(line, "chain ");
      comes_in = closes = false;
    } else if (line == "}" && !chain.empty()) {
      if (comes_in && closes && !tables.empty()) tables.back().closing.push_back(chain);
      chain = {};
    } else if (line.contains(" hook input ")) {
      comes_in = true;
      closes = line.contains("policy drop");
    } else if (!chain.empty() && !tables.empty()) {
      tables.back().rules.push_back(line);
      closes = closes || ends_it_all(line);
    }
  }
  return tables;
}

bool nft_opens(std::string_view rule, std::uint16_t port) {
  const auto ports = rule.find("dport ");
  const bool is_for_all = !rule.contains("saddr") && !rule.contains("udp");
  return ports != rule.npos && is_for_all && rule.contains("accept") &&
         names_port(rule.substr(ports, rule.find("counter", ports) - ports), port);
}

std::optional<FirewallAdvice> ask_nftables(std::string_view ruleset, const Ports& ports) {
  std::optional<FirewallAdvice> advice;
  for (const auto& table : tables_of(ruleset)) {
    if (table.closing.empty()) continue;
    if (!advice) advice = FirewallAdvice{"nftables"};
    Ports shut;
    for (const auto port : ports)
      if (std::ranges::none_of(table.rules, [port](auto rule) { return nft_opens(rule, port); }))
        shut.push_back(port);
    if (shut.empty()) continue;
    for (const auto chain : table.closing)
      advice->commands += fmt::format("nft insert rule {} {} tcp dport '{{ {} }}' accept\n",
                                      table.name,
                                      chain,
                                      fmt::join(shut, ", "));
    std::ranges::copy_if(shut, std::back_inserter(advice->shut), [&](std::uint16_t port) {
      return std::ranges::find(advice->shut, port) == advice->shut.end();
    });
  }
  if (advice && !advice->shut.empty())
    advice->commands += "and the same rules in /etc/nftables.conf, for the next start";
  return advice;
}

}  // namespace

std::optional<FirewallAdvice> firewall_advice(const FirewallSight& sight, const Ports& ports) {
  if (sight.ufw.contains("Status: active")) return ask_ufw(sight.ufw, ports);
  if (sight.firewalld.contains("target: ")) return ask_firewalld(sight.firewalld, ports);
  return ask_nftables(sight.nftables, ports);
}

}  // namespace tapal::provision
