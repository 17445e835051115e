// `tapal dns plan`, `diff`, `check` and `export`: what should be published, and nothing is written.
#include <memory>
#include <string>
#include <vector>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "app/commands/commands.h"
#include "app/dns/plan_view.h"
#include "app/dns/work.h"
#include "rules/provision/zone_export.h"

namespace tapal::app {
namespace {

using upkeep::DnsPlanning;
using upkeep::LaggingServer;

int run_plan(const CommonOptions& common, const DnsWorkOptions& options) {
  const auto work = DnsWork::open(common, options);
  if (!work) return tell(work.error());
  const auto planning = plan_for(**work, PublishedBy::account_or_dns);
  if (!planning) return tell(planning.error());
  if (common.output == Output::json) {
    auto answer = plan_json(*planning);
    answer["published_by"] = (*work)->provider().empty() ? "dns" : (*work)->provider();
    print_json(answer);
  } else {
    print_plan(*planning, PlanDetail::all);
  }
  return exit_done;
}

int run_diff(const CommonOptions& common, const DnsWorkOptions& options) {
  const auto work = DnsWork::open(common, options);
  if (!work) return tell(work.error());
  const auto planning = plan_for(**work, PublishedBy::account_or_dns);
  if (!planning) return tell(planning.error());
  if (common.output == Output::json)
    print_json(plan_json(*planning));
  else
    print_plan(*planning, PlanDetail::differences);
  return planning->plan.writes() ? exit_failed : exit_done;
}

// What a resolver shows must be what each server of the zone shows.
Task<Result<std::vector<LaggingServer>>> find_lagging(NetLoop& loop,
                                                      DnsWork& work,
                                                      const DnsPlanning& planning) {
  upkeep::ZoneAuthorities authorities(work.resolver(), loop, work.authorities());
  std::vector<dns::RecordSet> sets;
  sets.reserve(planning.plan.changes.size());
  for (const auto& change : planning.plan.changes) sets.push_back(change.before);
  co_return co_await upkeep::servers_behind(loop, authorities, std::move(sets));
}

int run_check(const CommonOptions& common, const DnsWorkOptions& options) {
  const auto work = DnsWork::open(common, options);
  if (!work) return tell(work.error());
  const auto planning = plan_for(**work, PublishedBy::dns);
  if (!planning) return tell(planning.error());
  const auto lagging = (*work)->run<std::vector<LaggingServer>>(
      [&](NetLoop& loop) { return find_lagging(loop, **work, *planning); });
  if (!lagging) return tell(lagging.error());
  if (common.output == Output::json) {
    auto answer = plan_json(*planning);
    answer["behind"] = lagging_json(*lagging);
    print_json(answer);
  } else {
    print_plan(*planning, PlanDetail::all);
    print_lagging(*lagging);
  }
  const auto& plan = planning->plan;
  return plan.writes() || !plan.blocking().empty() || !lagging->empty() ? exit_failed : exit_done;
}

struct ExportOptions {
  DnsWorkOptions work;
  std::string format = "bind";
  std::string zone;
  bool offline = false;
  bool missing = false;
};

Result<std::vector<provision::ExportedSet>> sets_to_export(DnsWork& work,
                                                           const ExportOptions& options) {
  std::vector<provision::ExportedSet> sets;
  if (options.offline) {
    TAPAL_TRY(auto wanted, provision::wanted_records(work.identity()));
    for (auto& one : wanted) sets.emplace_back(std::move(one.set), std::move(one.why));
    return sets;
  }
  TAPAL_TRY(auto planning, plan_for(work, PublishedBy::account_or_dns));
  for (auto& change : planning.plan.changes) {
    if (change.action == provision::Action::conflict) {
      fmt::print(stderr,
                 "left out: {} {}: {}\n",
                 change.wanted.set.name,
                 dns::type_text(change.wanted.set.type),
                 change.why);
    } else if (!change.after.data.empty() && (change.writes() || !options.missing)) {
      sets.emplace_back(std::move(change.after), std::move(change.wanted.why));
    }
  }
  for (auto& left : planning.left_to_others)
    sets.emplace_back(std::move(left.set), std::move(left.why));
  return sets;
}

boost::json::array fields_of(std::string_view zone, std::span<const provision::ExportedSet> sets) {
  boost::json::array records;
  for (const auto& [set, comment] : sets)
    for (const auto& data : set.data) {
      boost::json::object record;
      for (const auto& [field, value] : provision::form_fields(set, data, zone))
        record[field] = value;
      record["Why"] = comment;
      records.push_back(std::move(record));
    }
  return records;
}

int run_export(const CommonOptions& common, const ExportOptions& options) {
  const auto work = DnsWork::open(common, options.work);
  if (!work) return tell(work.error());
  const auto sets = sets_to_export(**work, options);
  if (!sets) return tell(sets.error());
  const auto& zone = options.zone.empty() ? (*work)->identity().domain : options.zone;
  const auto format = provision::export_format(options.format).value_or(provision::ExportFormat());
  const auto text = provision::export_records(format, zone, *sets);
  if (common.output == Output::json)
    print_json({{"zone", zone}, {"text", text}, {"records", fields_of(zone, *sets)}});
  else
    fmt::print("{}", text);
  return exit_done;
}

template <class Run>
void declare(const Command& command, Run run) {
  auto options = std::make_shared<DnsWorkOptions>();
  declare_dns_work(command, *options);
  command.runs([options, run](const auto& common) { return run(common, *options); });
}

}  // namespace

void declare_dns_plan(const Command& dns) {
  declare(dns.add("plan",
                  "what a domain's records should be, what is there, and what would be done; "
                  "nothing is written",
                  "dns plan example.com"),
          run_plan);
  declare(dns.add("diff",
                  "the differences alone, as lines of a zone file; fails when there are any",
                  "dns diff example.com"),
          run_diff);
  declare(dns.add("check",
                  "whether every name server of the zone shows what it should; fails when not",
                  "dns check example.com"),
          run_check);
  const auto command = dns.add("export",
                               "a domain's records for other tools, or to enter by hand",
                               "dns export example.com --format table");
  auto options = std::make_shared<ExportOptions>();
  declare_dns_work(command, options->work);
  command.text({"--format",
                "bind (default), cloudflare, dnscontrol, octodns, terraform-cloudflare, terraform, "
                "or table: the fields of a provider's form",
                false,
                {},
                provision::export_format_names()},
               options->format);
  command.text({"--zone", "the zone the domain is in, when it is not one itself"}, options->zone);
  command.flag({"--missing", "only what is not published as it should be"}, options->missing);
  command.flag({"--offline", "ask nobody what is published: the records of a domain without any"},
               options->offline);
  command.runs([options](const auto& common) { return run_export(common, *options); });
}

}  // namespace tapal::app
