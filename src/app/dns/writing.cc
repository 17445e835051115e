#include "app/dns/writing.h"

#include <utility>

#include <fmt/format.h>

namespace tapal::app {
namespace {

std::vector<dns::RecordSet> sets_after(const provision::JournalEntry& entry) {
  std::vector<dns::RecordSet> sets;
  sets.reserve(entry.sets.size());
  for (const auto& set : entry.sets) sets.push_back(set.after);
  return sets;
}
Task<Result<Applied>> carry_out(NetLoop& loop,
                                DnsAccount& account,
                                DnsWork& work,
                                const MakePlan& make_plan,
                                const ShowPlan& show) {
  upkeep::ZoneAuthorities authorities(work.resolver(), loop, work.authorities());
  auto change = change_for(work, account, authorities);
  TAPAL_CO_CHECK(co_await change.settle(loop));
  Applied applied;
  TAPAL_CO_TRY(applied.planning, co_await make_plan(loop, account));
  if (!show(applied.planning)) co_return applied;
  TAPAL_CO_TRY(applied.entry, co_await change.apply(loop, applied.planning.plan));
  auto sets = sets_after(*applied.entry);
  TAPAL_CO_TRY(applied.behind, co_await change.wait_until_shown(loop, std::move(sets)));
  co_return applied;
}

Task<Result<upkeep::DnsPlanning>> plan_records(DnsWork& work, Loop& loop, DnsAccount& account) {
  auto options = work.plan_options();
  if (!options) co_return std::unexpected(options.error());
  co_return co_await upkeep::plan_dns(
      loop, work.resolver(), &account, work.identity(), *std::move(options));
}

}  // namespace

Result<std::unique_ptr<DnsWork>> open_to_write(const CommonOptions& common,
                                               const DnsWorkOptions& options) {
  TAPAL_TRY(auto work, DnsWork::open(common, options));
  TAPAL_CHECK(work->journal().lock());
  return work;
}

upkeep::DnsChange change_for(DnsWork& work,
                             DnsAccount& account,
                             upkeep::ZoneAuthorities& authorities) {
  upkeep::DnsChange change({account, authorities, work.journal(), work.clock()},
                           work.change_options());
  change.tell = [](std::string_view text) { fmt::print(stderr, "{}\n", text); };
  return change;
}

MakePlan plan_of(DnsWork& work) {
  return [&work](Loop& loop, DnsAccount& account) { return plan_records(work, loop, account); };
}

Result<Applied> write_dns(DnsWork& work, const MakePlan& make_plan, const ShowPlan& show) {
  return work.run_with_account<Applied>([&](NetLoop& loop, DnsAccount& account) {
    return carry_out(loop, account, work, make_plan, show);
  });
}

}  // namespace tapal::app
