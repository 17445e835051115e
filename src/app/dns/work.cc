#include "app/dns/work.h"

#include "app/cli/dns_option.h"

namespace tapal::app {

void declare_dns_work(const Command& command, DnsWorkOptions& into) {
  declare_identity(command, into.identity);
  command.flag({"--take-mx", "have the domain's mail come here, where its MX leads elsewhere"},
               into.take_mx);
  command.flag({"--take-host", "replace other addresses of the server's name"}, into.take_host);
  command.flag(
      {"--join-reports",
       "have reports come here as well, where the DMARC and TLS-RPT records that are there "
       "send them elsewhere"},
      into.join_reports);
  declare_dns_account(command, into.account);
  command.text({"--dns-server", dns_server_help}, into.dns_server);
  command.number({"--authority-port", "of the zone's own name servers; default 53"},
                 {1, 65'535},
                 into.authority_port);
}

DnsWork::DnsWork(const Settings& settings, const DnsWorkOptions& options) : journal_(settings) {
  plan_options_.take_mx = options.take_mx;
  plan_options_.take_host = options.take_host;
  plan_options_.join_reports = options.join_reports;
  authorities_.port = static_cast<std::uint16_t>(options.authority_port);
  change_options_.patience = std::chrono::seconds(options.patience);
}

Result<std::unique_ptr<DnsWork>> DnsWork::open(const CommonOptions& common,
                                               const DnsWorkOptions& options) {
  TAPAL_TRY(const auto settings, load_settings(common.config));
  std::unique_ptr<DnsWork> work(new DnsWork(settings, options));
  TAPAL_TRY(work->identity_, gather_identity(common, settings, options.identity));
  TAPAL_TRY(
      work->account_,
      DnsAccountRun::prepare(common, options.account, work->identity_.domain, options.dns_server));
  return work;
}

Result<provision::PlanOptions> DnsWork::plan_options() {
  TAPAL_TRY(const auto entries, journal_.entries());
  auto options = plan_options_;
  options.written = provision::written_values(entries);
  options.written_spf_terms = provision::written_spf_terms(entries, identity_.domain);
  return options;
}

Result<upkeep::DnsPlanning> plan_for(DnsWork& work, PublishedBy source) {
  TAPAL_TRY(const auto options, work.plan_options());
  if (source == PublishedBy::dns || work.provider().empty())
    return work.run<upkeep::DnsPlanning>([&](NetLoop& loop) {
      return upkeep::plan_dns(loop, work.resolver(), nullptr, work.identity(), options);
    });
  return work.run_with_account<upkeep::DnsPlanning>([&](NetLoop& loop, DnsAccount& account) {
    return upkeep::plan_dns(loop, work.resolver(), &account, work.identity(), options);
  });
}

}  // namespace tapal::app
