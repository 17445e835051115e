#include "app/commands/dkim_keys.h"

#include <algorithm>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "app/cli/dns_option.h"
#include "app/config/key_files.h"
#include "app/dnsapi/accounts.h"
#include "app/settings/settings.h"
#include "drivers/net/http_client.h"
#include "drivers/net/tls.h"
#include "drivers/system/clock.h"
#include "drivers/system/log_sinks.h"
#include "drivers/system/random.h"
#include "drivers/system/worker_pool.h"
#include "services/upkeep/key_keeper.h"
#include "values/dns/zone_text.h"
#include "values/text/date.h"
#include "values/text/idna.h"

namespace tapal::app {
namespace {

namespace json = boost::json;
using upkeep::KeyKeeper;
using upkeep::KeyReport;

struct DkimKeysOptions {
  std::string domain;
  std::string dns_server;  // "host:port"; empty: as the settings or the system say
  bool now = false;
};

struct DomainReport {
  std::string domain;
  Result<KeyReport> report;
};

// A record as one enters it: a line of a zone file, or what to remove.
std::string record_text(const upkeep::RecordRequest& request) {
  if (request.text.empty()) return fmt::format("remove {} TXT", request.name);
  return dns::to_zone_text(dns::Record{.name = request.name,
                                       .type = dns::Type::txt,
                                       .ttl = std::chrono::hours(1),
                                       .data = dns::Text{request.text}});
}

void print(const DomainReport& of) {
  fmt::print("{}\n", of.domain);
  if (!of.report) return;
  for (const auto& key : of.report->keys)
    fmt::print("  {:<16} {:<8} {:<9} since {}, DNS: {}{}\n",
               key.selector,
               crypto::key_kind_text(key.kind),
               text_of(key.stage),
               text::rfc3339_day(key.since),
               text_of(key.sight),
               key.stage == provision::KeyStage::signing && !provision::signs(key)
                   ? " - DOES NOT SIGN"
                   : "");
  for (const auto& change : of.report->changes) fmt::print("  changed: {}\n", change);
  for (const auto& trouble : of.report->troubles) fmt::print("  trouble: {}\n", trouble);
  for (const auto& request : of.report->requests)
    fmt::print("  to enter in DNS ({}):\n    {}\n", request.why, record_text(request));
  if (of.report->is_due)
    fmt::print("  a key is old enough to be changed: tapal dkim rotate {}\n", of.domain);
}

json::object to_json(const provision::RotatingKey& key) {
  return {{"selector", key.selector},
          {"algorithm", crypto::key_kind_text(key.kind)},
          {"stage", text_of(key.stage)},
          {"since", text::rfc3339_date(key.since)},
          {"dns", text_of(key.sight)},
          {"signs", provision::signs(key)}};
}

json::object to_json(const DomainReport& of) {
  const auto& report = *of.report;
  json::array keys;
  for (const auto& key : report.keys) keys.push_back(to_json(key));
  json::array requests;
  for (const auto& [name, text, why] : report.requests)
    requests.push_back({{"name", name}, {"type", "TXT"}, {"text", text}, {"why", why}});
  return {{"domain", of.domain},
          {"keys", std::move(keys)},
          {"changes", json::array(report.changes.begin(), report.changes.end())},
          {"requests", std::move(requests)},
          {"troubles", json::array(report.troubles.begin(), report.troubles.end())},
          {"due", report.is_due},
          {"under_way", report.is_under_way}};
}

Result<std::vector<std::string>> domains_of(const CommonOptions& common,
                                            const DkimKeysOptions& options,
                                            KeyFiles& shelf) {
  if (options.domain.empty()) return shelf.domains();
  TAPAL_TRY(auto domain, text::domain_to_ascii(options.domain));
  if (std::filesystem::is_directory(common.config / "domains" / domain))
    return std::vector<std::string>{std::move(domain)};
  return fail(
      Code::not_found,
      fmt::format("{0} is not a domain of this server; `tapal init {0}` makes it one", domain));
}

// What a round needs beside the loop it runs on.
struct TendWorld {
  const Settings& settings;
  Resolver& resolver;
  TlsClient& tls;
  KeyFiles& shelf;
  Workers& workers;
  SystemClock& clock;
  Log& log;
};

Task<std::vector<DomainReport>> tend_all(NetLoop& loop,
                                         const TendWorld& with,
                                         std::vector<std::string> domains,
                                         KeyKeeper::Order order) {
  StreamHttpClient http({loop, loop, with.resolver, with.tls});
  SystemRandom random;
  const dnsapi::World world{http, loop, with.resolver, with.clock, random};
  DnsAccounts accounts(with.settings.dns, world, with.log);
  upkeep::ZoneAuthorities authorities(with.resolver, loop);
  KeyKeeper keeper({loop,
                    with.clock,
                    with.log,
                    with.resolver,
                    with.workers,
                    with.shelf,
                    [&accounts](std::string_view domain) { return accounts.of(domain); },
                    upkeep::ask_each(authorities),
                    {},
                    with.settings.keys.dkim});
  std::vector<DomainReport> reports;
  for (const auto& domain : domains) {
    auto report = co_await keeper.tend(domain, order);
    reports.push_back({domain, std::move(report)});
  }
  co_return reports;
}

Result<std::vector<DomainReport>> tend(const CommonOptions& common,
                                       const DkimKeysOptions& options,
                                       KeyKeeper::Order order) {
  TAPAL_TRY(const auto settings, load_settings(common.config));
  TAPAL_TRY(auto asked, resolver_options(common, options.dns_server));
  TAPAL_TRY(const auto resolver, UnboundResolver::open(std::move(asked)));
  const ClientTlsOptions tls_options{.trusted_ca_file = settings.tls.trusted_ca_file};
  TAPAL_TRY(const auto tls, ClientContext::make(tls_options));
  SystemClock clock;
  KeyFiles shelf(common.config, clock);
  TAPAL_TRY(const auto domains, domains_of(common, options, shelf));
  WorkerPool workers({.threads = 1, .waiting_max = 8, .name = "keys"});
  const auto log = default_log(clock, Level::error);
  const TendWorld with{settings, *resolver, *tls, shelf, workers, clock, *log};
  return run_once<std::vector<DomainReport>>(
      [&](NetLoop& loop) { return tend_all(loop, with, domains, order); });
}

bool is_well(const DomainReport& of) {
  if (!of.report) return false;
  return std::ranges::none_of(of.report->keys, [](const auto& key) {
    return key.stage == provision::KeyStage::signing && !provision::signs(key);
  });
}

int show(const CommonOptions& common, const Result<std::vector<DomainReport>>& reports) {
  if (!reports) return tell(reports.error());
  json::array list;
  for (const auto& of : *reports) {
    if (!of.report) return tell(of.report.error());
    if (common.output == Output::text) print(of);
    list.push_back(to_json(of));
  }
  if (common.output == Output::json) print_json({{"domains", std::move(list)}});
  return std::ranges::all_of(*reports, is_well) ? exit_done : exit_failed;
}

}  // namespace

void declare_dkim_keys(const Command& dkim) {
  auto options = std::make_shared<DkimKeysOptions>();
  const auto rotate = dkim.add(
      "rotate",
      "change to a new key, or go on with the change under way; a running server goes on by "
      "itself",
      "dkim rotate example.com");
  rotate.text({"domain", "the domain that signs", true}, options->domain);
  rotate.flag({"--now",
               "the old keys may be in wrong hands: revoke them as soon as new ones sign, though "
               "mail on its way can then no longer be checked"},
              options->now);
  rotate.text({"--dns-server", dns_server_help}, options->dns_server);
  rotate.changes([options](const auto& common) {
    const auto order = options->now ? KeyKeeper::Order::stolen : KeyKeeper::Order::turn;
    return show(common, tend(common, *options, order));
  });

  const auto status =
      dkim.add("status",
               "what each key is for, what DNS shows of it, and what to enter there; "
               "fails when a key cannot sign",
               "dkim status");
  status.text({"domain", "of this domain only"}, options->domain);
  status.text({"--dns-server", dns_server_help}, options->dns_server);
  status.runs([options](const auto& common) {
    return show(common, tend(common, *options, KeyKeeper::Order::look));
  });
}

}  // namespace tapal::app
