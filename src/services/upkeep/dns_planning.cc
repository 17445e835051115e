#include "services/upkeep/dns_planning.h"

#include <array>
#include <utility>

#include "ports/look_up.h"
#include "protocols/mailauth/spf_lookup_count.h"
#include "services/upkeep/published_records.h"

namespace tapal::upkeep {
namespace {

using provision::Change;
using provision::Purpose;

constexpr std::chrono::seconds spf_time_max{20};  // for all records that SPF includes

// Unsigned, or nobody can tell: then nothing is pinned.
Task<bool> is_signed(Loop& loop, Resolver& resolver, std::string name) {
  const auto answer = co_await resolver.resolve(loop, std::move(name), dns::Type::soa);
  co_return answer && answer->security == DnsAnswer::Security::secure;
}

bool is_sender_policy(const Change& change) {
  return change.wanted.purpose == Purpose::sender_policy ||
         change.wanted.purpose == Purpose::host_policy;
}

// The record as it shall be; empty where there is none.
std::string policy_text(const Change& change) {
  for (const auto& data : change.after.data)
    if (const auto* text = std::get_if<dns::Text>(&data))
      if (mailauth::SpfRecord::has_version(text->value)) return text->value;
  return {};
}

Task<void> count_lookups(Loop& loop, Resolver& resolver, Change& change) {
  mailauth::SpfLookupCount count(change.after.name, policy_text(change));
  co_await answer_lookups(resolver, loop, count, loop.now() + spf_time_max);
  provision::judge_lookups(change, count);
}

Task<Result<provision::RecordSets>> published(Loop& loop,
                                              Resolver& resolver,
                                              AccountZones* zones,
                                              std::vector<dns::Lookup> lookups) {
  if (zones != nullptr) co_return co_await zones->read(loop, std::move(lookups));
  co_return co_await published_in_dns(loop, resolver, std::move(lookups));
}

}  // namespace

Task<Result<DnsPlanning>> plan_dns(Loop& loop,
                                   Resolver& resolver,
                                   DnsAccount* account,
                                   provision::MailIdentity identity,
                                   provision::PlanOptions options) {
  if (!identity.tlsa_digests.empty()) {
    const bool domain_is_signed = co_await is_signed(loop, resolver, identity.domain);
    identity.zone_is_signed = domain_is_signed && co_await is_signed(loop, resolver, identity.host);
  }
  auto wanted = provision::wanted_records(identity);
  if (!wanted) co_return std::unexpected(std::move(wanted.error()));
  DnsPlanning planning;
  std::optional<AccountZones> zones;
  if (account != nullptr) {
    zones.emplace(*account);
    TAPAL_CO_TRY(planning.left_to_others, co_await take_out_foreign(loop, *zones, *wanted));
  }
  options.unwanted = provision::unwanted_records(identity);
  auto lookups = provision::plan_lookups(*wanted);
  for (const auto& one : options.unwanted) lookups.push_back({one.set.name, one.set.type});
  const auto sets =
      co_await published(loop, resolver, zones ? &*zones : nullptr, std::move(lookups));
  if (!sets) co_return std::unexpected(sets.error());
  options.policy_hosts = identity.mta_sts_mx;
  auto plan = provision::make_plan(identity.domain, *wanted, *sets, options);
  if (!plan) co_return std::unexpected(std::move(plan.error()));
  planning.plan = *std::move(plan);
  for (auto& change : planning.plan.changes)
    if (is_sender_policy(change)) co_await count_lookups(loop, resolver, change);
  if (account != nullptr) fit_to_account(planning.plan, account->limits());
  co_return planning;
}

}  // namespace tapal::upkeep
