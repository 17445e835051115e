// `tapal dns apply` and `rollback`, `tapal dmarc advance`: nothing is written that was not shown.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "app/commands/commands.h"
#include "app/dns/plan_view.h"
#include "app/dns/work.h"
#include "app/dns/writing.h"
#include "rules/provision/dmarc_advance.h"
#include "rules/provision/dmarc_edit.h"

namespace tapal::app {
namespace {

using provision::JournalEntry;
using upkeep::DnsPlanning;
using upkeep::LaggingServer;

struct ApplyOptions {
  DnsWorkOptions work;
  bool yes = false;
};

std::vector<dns::RecordSet> sets_before(const JournalEntry& entry) {
  std::vector<dns::RecordSet> sets;
  sets.reserve(entry.sets.size());
  for (const auto& set : entry.sets) sets.push_back(set.before);
  return sets;
}

bool may_write(const provision::Plan& plan, bool yes) {
  return yes && plan.writes() && plan.blocking().empty();
}

std::string applied_text(const Applied& applied, std::string_view domain) {
  const auto& plan = applied.planning.plan;
  if (applied.entry && applied.behind.empty())
    return fmt::format(
        "written, and every name server shows it; `tapal dns rollback {}` takes it "
        "back",
        domain);
  if (applied.entry)
    return "written, but not every name server shows it: nothing more is to be done if they catch "
           "up; `tapal dns check` tells";
  if (!plan.blocking().empty()) return "nothing was written: what is in conflict is needed";
  if (!plan.writes()) return "nothing is to be written";
  return "nothing was written; say --yes to write it";
}

int tell_applied(const CommonOptions& common, const Applied& applied) {
  const auto& plan = applied.planning.plan;
  if (common.output == Output::json) {
    auto answer = plan_json(applied.planning);
    answer["written"] = applied.entry.has_value();
    if (applied.entry) answer["change"] = applied.entry->id;
    answer["behind"] = lagging_json(applied.behind);
    print_json(answer);
  } else {
    print_lagging(applied.behind);
    fmt::print("{}\n", applied_text(applied, plan.domain));
  }
  const bool is_done =
      applied.entry ? applied.behind.empty() : !plan.writes() && plan.blocking().empty();
  return is_done ? exit_done : exit_failed;
}

int write_plan(const CommonOptions& common, DnsWork& work, bool yes, const MakePlan& make_plan) {
  const auto show = [&](const DnsPlanning& planning) {
    if (common.output == Output::text) print_plan(planning, PlanDetail::all);
    return may_write(planning.plan, yes);
  };
  const auto applied = write_dns(work, make_plan, show);
  return applied ? tell_applied(common, *applied) : tell(applied.error());
}

int run_apply(const CommonOptions& common, const ApplyOptions& options) {
  const auto work = open_to_write(common, options.work);
  if (!work) return tell(work.error());
  return write_plan(common, **work, options.yes, plan_of(**work));
}

// --- rollback

struct TakenBack {
  JournalEntry entry;
  std::vector<LaggingServer> behind;
};

Task<Result<TakenBack>> take_back(NetLoop& loop, DnsAccount& account, DnsWork& work) {
  upkeep::ZoneAuthorities authorities(work.resolver(), loop, work.authorities());
  auto change = change_for(work, account, authorities);
  TakenBack restored;
  TAPAL_CO_TRY(restored.entry, co_await change.rollback(loop, work.identity().domain));
  auto sets = sets_before(restored.entry);
  TAPAL_CO_TRY(restored.behind, co_await change.wait_until_shown(loop, std::move(sets)));
  co_return restored;
}

Result<JournalEntry> last_change(DnsWork& work) {
  TAPAL_TRY(auto entries, work.journal().entries());
  std::erase_if(entries, [&work](const JournalEntry& entry) {
    return entry.domain != work.identity().domain || entry.state == JournalEntry::State::undone;
  });
  if (entries.empty())
    return fail(Code::not_found,
                fmt::format("no change of {} is left to take back", work.identity().domain));
  return std::move(entries.back());
}

int run_rollback(const CommonOptions& common, const ApplyOptions& options) {
  const auto work = open_to_write(common, options.work);
  if (!work) return tell(work.error());
  const auto last = last_change(**work);
  if (!last) return tell(last.error());
  const bool is_text = common.output == Output::text;
  if (is_text)
    for (const auto& [zone, before, after] : last->sets) print_change(after, before);
  if (!options.yes) {
    if (is_text) fmt::print("nothing was written; say --yes to take change {} back\n", last->id);
    if (!is_text) print_json({{"restored", false}, {"change", journal_entry_json(*last)}});
    return exit_failed;
  }
  const auto restored = (*work)->run_with_account<TakenBack>(
      [&](NetLoop& loop, DnsAccount& account) { return take_back(loop, account, **work); });
  if (!restored) return tell(restored.error());
  if (is_text) {
    print_lagging(restored->behind);
    fmt::print("change {} was taken back\n", restored->entry.id);
  } else {
    print_json({{"restored", true},
                {"change", journal_entry_json(restored->entry)},
                {"behind", lagging_json(restored->behind)}});
  }
  return restored->behind.empty() ? exit_done : exit_failed;
}

// --- dmarc advance

struct AdvanceOptions {
  ApplyOptions apply;
  std::int64_t days = 0;
  std::int64_t messages = 0;
  std::int64_t failed = 0;
  std::string to;
};

std::optional<mailauth::DmarcPolicy> policy_named(std::string_view name) {
  using enum mailauth::DmarcPolicy;
  for (const auto policy : {none, quarantine, reject})
    if (mailauth::dmarc_policy_text(policy) == name) return policy;
  return {};
}

// The published record with its next policy, as a plan of one change.
Result<DnsPlanning> advance(const AdvanceOptions& options, DnsPlanning planning) {
  auto& changes = planning.plan.changes;
  std::erase_if(changes, [](const provision::Change& change) {
    return change.wanted.purpose != provision::Purpose::dmarc;
  });
  if (changes.empty() || changes.front().action != provision::Action::keep ||
      changes.front().before.data.empty())
    return fail(
        Code::invalid,
        "there is no good DMARC record of the domain itself to go on from; `tapal dns plan` "
        "tells what is there");
  auto& change = changes.front();
  for (auto& data : change.after.data) {
    auto* text = std::get_if<dns::Text>(&data);
    if (text == nullptr) continue;
    const auto record = mailauth::DmarcRecord::parse(text->value);
    if (!record) continue;
    provision::DmarcReports reports{std::chrono::days(options.days),
                                    static_cast<std::uint64_t>(options.messages),
                                    static_cast<std::uint64_t>(options.failed)};
    auto step = provision::next_dmarc_step(record->policy, reports);
    if (const auto asked = policy_named(options.to)) step = {asked, "asked for: --to"};
    change.why = step.why;
    if (!step.to || *step.to == record->policy) continue;
    text->value = provision::dmarc_with_policy(text->value, *step.to);
    change.action = provision::Action::merge;
  }
  planning.left_to_others.clear();
  return planning;
}

Task<Result<DnsPlanning>> plan_advance(MakePlan plan,
                                       const AdvanceOptions& options,
                                       Loop& loop,
                                       DnsAccount& account) {
  auto planning = co_await plan(loop, account);
  if (!planning) co_return planning;
  co_return advance(options, *std::move(planning));
}

int run_advance(const CommonOptions& common, const AdvanceOptions& options) {
  const auto work = open_to_write(common, options.apply.work);
  if (!work) return tell(work.error());
  const auto plan = [&](Loop& loop, DnsAccount& account) {
    return plan_advance(plan_of(**work), options, loop, account);
  };
  return write_plan(common, **work, options.apply.yes, plan);
}

void declare_writing(const Command& command, ApplyOptions& into) {
  declare_dns_work(command, into.work);
  command.number({"--patience", "seconds to wait until every name server shows it; default 120"},
                 {0, 86'400},
                 into.work.patience);
  command.flag({"--yes", "write what is shown"}, into.yes);
}

}  // namespace

void declare_dns_apply(const Command& dns) {
  const auto apply = dns.add("apply",
                             "show the plan, write it at the provider, and wait until every name "
                             "server shows it",
                             "dns apply example.com --yes");
  auto applied = std::make_shared<ApplyOptions>();
  declare_writing(apply, *applied);
  apply.runs([applied](const auto& common) { return run_apply(common, *applied); });

  const auto rollback = dns.add("rollback",
                                "take the last change back: every record as it was",
                                "dns rollback example.com --yes");
  auto taken_back = std::make_shared<ApplyOptions>();
  declare_writing(rollback, *taken_back);
  rollback.runs([taken_back](const auto& common) { return run_rollback(common, *taken_back); });
}

void declare_dmarc_advance(const Command& dmarc) {
  const auto advance =
      dmarc.add("advance",
                "the next step of a domain's DMARC policy, when what was reported allows it",
                "dmarc advance example.com --days 30 --messages 5000 --failed 3 --yes");
  auto options = std::make_shared<AdvanceOptions>();
  declare_writing(advance, options->apply);
  advance.number({"--days", "how many days the reports are of"}, {0, 3'650}, options->days);
  advance.number({"--messages", "of ours in these reports"}, {0, INT64_MAX}, options->messages);
  advance.number(
      {"--failed", "of these, those that did not pass"}, {0, INT64_MAX}, options->failed);
  advance.text(
      {"--to", "this policy, whatever was reported", false, {}, {"none", "quarantine", "reject"}},
      options->to);
  advance.runs([options](const auto& common) { return run_advance(common, *options); });
}

}  // namespace tapal::app
