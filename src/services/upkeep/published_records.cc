#include "services/upkeep/published_records.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "values/dns/name.h"

namespace tapal::upkeep {
namespace {

using provision::Action;
using provision::Change;
using provision::RecordSets;
using provision::WantedSet;

bool is_too_long(const dns::Data& data, std::size_t bytes_max) {
  const auto* text = std::get_if<dns::Text>(&data);
  return text != nullptr && text->value.size() > bytes_max;
}

// What the provider cannot keep of it; empty when it can.
std::string problem_with(const Change& change, const DnsAccountLimits& limits) {
  const auto& set = change.after;
  if (std::ranges::find(limits.unsupported, set.type) != limits.unsupported.end())
    return fmt::format("the DNS provider has no {} records", dns::type_text(set.type));
  const bool is_long = std::ranges::any_of(set.data, [&limits](const dns::Data& data) {
    return is_too_long(data, limits.text_bytes_max);
  });
  if (!is_long) return {};
  return fmt::format("the DNS provider takes no text over {} bytes{}",
                     limits.text_bytes_max,
                     change.wanted.purpose == provision::Purpose::signing_key
                         ? ": use an RSA key of 2048 bits, or Ed25519"
                         : "");
}

}  // namespace

Task<Result<RecordSets>> published_in_dns(Loop& loop,
                                          Resolver& resolver,
                                          std::vector<dns::Lookup> lookups) {
  RecordSets sets;
  for (const auto& [name, type] : lookups) {
    const auto answer = co_await resolver.resolve(loop, name, type);
    if (!answer)
      co_return fail(answer.error().code,
                     fmt::format("DNS does not tell what is at {} {}: {}",
                                 name,
                                 dns::type_text(type),
                                 answer.error().what));
    dns::RecordSet set{name, type, answer->ttl, {}};
    // What a CNAME leads to is not at this name.
    const bool is_here = answer->canonical_name.empty() || answer->canonical_name == name;
    for (const auto& record : answer->records)
      if (is_here && record.type == type) {
        set.ttl = record.ttl;
        set.data.push_back(record.data);
      }
    sets.add(std::move(set));
  }
  co_return sets;
}

Task<Result<std::string>> AccountZones::find(Loop& loop, std::string name) {
  const auto known = std::ranges::find_if(
      known_, [&name](const std::string& zone) { return dns::is_subdomain_of(name, zone); });
  if (known != known_.end()) co_return *known;
  auto zone = co_await account_.find_zone(loop, std::move(name));
  if (!zone) co_return zone;
  known_.push_back(*zone);
  std::ranges::sort(known_, std::ranges::greater(), &std::string::size);
  co_return zone;
}

Task<Result<RecordSets>> AccountZones::read(Loop& loop, std::vector<dns::Lookup> lookups) {
  RecordSets sets;
  const auto& unsupported = account_.limits().unsupported;
  for (const auto& [name, type] : lookups) {
    if (std::ranges::find(unsupported, type) != unsupported.end()) {
      dns::RecordSet none{name, type, {}, {}};
      sets.add(std::move(none));
      continue;
    }
    auto zone = co_await find(loop, name);
    if (!zone) co_return std::unexpected(std::move(zone.error()));
    auto set = co_await account_.read(loop, *std::move(zone), name, type);
    if (!set) co_return std::unexpected(std::move(set.error()));
    sets.add(*std::move(set));
  }
  co_return sets;
}

Task<Result<std::vector<WantedSet>>> take_out_foreign(Loop& loop,
                                                      AccountZones& zones,
                                                      std::vector<WantedSet>& wanted) {
  std::vector<WantedSet> foreign;
  std::vector<WantedSet> held;
  for (auto& one : wanted) {
    auto zone = co_await zones.find(loop, one.set.name);
    if (!zone) {
      const bool is_left =
          zone.error().code == Code::not_found && one.purpose == provision::Purpose::report_consent;
      if (!is_left) co_return std::unexpected(std::move(zone.error()));
    }
    (zone ? held : foreign).push_back(std::move(one));
  }
  wanted = std::move(held);
  co_return foreign;
}

void fit_to_account(provision::Plan& plan, const DnsAccountLimits& limits) {
  for (auto& change : plan.changes) {
    if (!change.writes()) continue;
    auto problem = problem_with(change, limits);
    if (problem.empty()) {
      change.after.ttl = std::max(change.after.ttl, limits.ttl_least);
      continue;
    }
    change.action = Action::conflict;
    change.after = change.before;
    change.why = std::move(problem);
  }
}

}  // namespace tapal::upkeep
