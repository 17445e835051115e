// The domain's records, the names of the machine's addresses, and the certificate.
#include <algorithm>
#include <thread>

#include <fmt/format.h>

#include "app/certificates/lone_order.h"
#include "app/dns/plan_view.h"
#include "app/dns/writing.h"
#include "app/up/up.h"
#include "drivers/dnsapi/reverse_apis.h"
#include "drivers/files/config_folder.h"
#include "drivers/net/http_client.h"
#include "drivers/net/tls.h"
#include "drivers/system/random.h"
#include "values/crypto/certificate.h"
#include "values/dns/name.h"

namespace tapal::app {
namespace {

using provision::Action;

constexpr std::chrono::seconds look_again{5};

DnsWorkOptions work_options(const Up& up) {
  DnsWorkOptions options;
  options.identity.domain = up.domain;
  for (const auto& address : up.addresses) options.identity.addresses.push_back(address.text());
  options.identity.reports = "reports@" + up.domain;
  options.take_mx = up.options.take_mx;
  options.take_host = up.options.take_mx;
  options.account = {up.options.dns_provider, up.options.dns_credentials_file, up.options.dns_url};
  options.patience = up.options.patience.count();
  return options;
}

void tell(Up& up, const upkeep::DnsPlanning& planning, Mark mark) {
  std::size_t kept = 0;
  for (const auto& change : planning.plan.changes) {
    if (change.writes())
      up.report.tell(mark,
                     fmt::format("{} {}: {}\n{}",
                                 action_text(change.action),
                                 purpose_text(change.wanted.purpose),
                                 change.why.empty() ? change.wanted.why : change.why,
                                 change_lines(change.before, change.after)));
    else if (change.action == Action::conflict)
      up.report.tell(
          change.wanted.strength == provision::Strength::must ? Mark::trouble : Mark::by_hand,
          fmt::format("{} {}: {}",
                      change.wanted.set.name,
                      dns::type_text(change.wanted.set.type),
                      change.why));
    else
      ++kept;
  }
  if (kept > 0)
    up.report.tell(Mark::fine, fmt::format("{} record sets are as they should be", kept));
}

Result<void> blocked(const provision::Plan& plan) {
  if (plan.blocking().empty()) return {};
  return fail(
      Code::denied,
      "records of others are in the way, and nothing was written; with --take-mx an MX that "
      "leads elsewhere is replaced");
}

Result<void> write_records(Up& up, DnsWork& work) {
  const auto show = [&](const upkeep::DnsPlanning& planning) {
    const bool writes = planning.plan.writes() && planning.plan.blocking().empty();
    tell(up, planning, writes && up.options.yes ? Mark::changed : Mark::planned);
    return writes && up.options.yes;
  };
  TAPAL_TRY(const auto applied, write_dns(work, plan_of(work), show));
  TAPAL_CHECK(blocked(applied.planning.plan));
  if (applied.planning.plan.writes() && !applied.entry)
    return fail(Code::denied, "these records are to be written: run this again with --yes");
  for (const auto& server : applied.behind)
    up.report.tell(Mark::trouble,
                   fmt::format("{} does not show it yet: {}", server.server, server.what));
  if (!applied.behind.empty())
    return fail(Code::timed_out, "not every name server shows the records; run this again later");
  if (applied.entry) up.report.tell(Mark::fine, "every name server shows them");
  return {};
}

// Of what is left to a person only this must be there before mail works; and a key that was pinned
// by hand would be wrong after the next renewal.
bool is_needed(const provision::Change& change) {
  return change.writes() && change.wanted.strength == provision::Strength::must;
}
void leave_out_pinned_keys(provision::Plan& plan) {
  std::erase_if(plan.changes, [](const provision::Change& change) {
    return change.wanted.purpose == provision::Purpose::pinned_keys && change.writes();
  });
}

// What a person is to enter, then waiting until DNS shows it.
Result<void> wait_for_records(Up& up, DnsWork& work) {
  const auto end = std::chrono::steady_clock::now() + up.options.patience;
  bool has_told = false;
  for (;;) {
    TAPAL_TRY(auto planning, plan_for(work, PublishedBy::dns));
    leave_out_pinned_keys(planning.plan);
    TAPAL_CHECK(blocked(planning.plan));
    const bool is_there = std::ranges::none_of(planning.plan.changes, &is_needed);
    if (is_there || !has_told) tell(up, planning, Mark::by_hand);
    if (is_there) return {};
    if (!has_told) {
      up.report.tell(
          Mark::by_hand,
          fmt::format("enter these records at your DNS provider (`tapal dns export {}` has "
                      "them in other forms); waiting until DNS shows them",
                      up.domain));
    }
    has_told = true;
    if (std::chrono::steady_clock::now() > end)
      return fail(Code::timed_out,
                  "DNS does not show the records yet; run this again when it does");
    std::this_thread::sleep_for(look_again);
  }
}

// --- reverse names

Result<std::string> reverse_name_of(DnsWork& work, const IpAddress& address) {
  TAPAL_TRY(const auto answer, (work.run<DnsAnswer>([&](NetLoop& loop) {
              return work.resolver().resolve(loop, dns::reverse_name(address), dns::Type::ptr);
            })));
  if (answer.records.empty()) return std::string();
  return std::get<dns::NameTarget>(answer.records.front().data).name;
}

Task<Result<void>> set_reverse_name(NetLoop& loop, DnsWork& work, const Up& up, IpAddress address) {
  TAPAL_CO_TRY(const auto tls, ClientContext::make());
  StreamHttpClient http({loop, loop, work.resolver(), *tls});
  SystemRandom random;
  const dnsapi::World world{http, loop, work.resolver(), work.clock(), random};
  const auto* api = dnsapi::find_reverse_api(up.hoster->name);
  dnsapi::AccountOptions options;
  options.url = up.options.hoster_url;
  // Credentials are read alike, whatever they open.
  const dnsapi::Provider account{.name = api->name, .title = api->title, .fields = api->fields};
  TAPAL_CO_TRY(options.credentials, dns_credentials(account, up.options.hoster_token_file));
  TAPAL_CO_TRY(const auto names, dnsapi::make_reverse_names(api->name, options, world));
  co_return co_await names->set(loop, address, up.hostname);
}

Result<void> have_reverse_name(Up& up, DnsWork& work, const IpAddress& address) {
  TAPAL_TRY(const auto name, reverse_name_of(work, address));
  if (name == up.hostname) {
    up.report.tell(Mark::fine, fmt::format("{} is called {}", address.text(), name));
    return {};
  }
  const bool has_api = dnsapi::find_reverse_api(up.hoster->name) != nullptr;
  const auto is_called = name.empty() ? "has no name" : "is called " + name;
  if (!has_api || up.options.hoster_token_file.empty()) {
    up.report.tell(
        Mark::by_hand,
        fmt::format("{} {}: it must be {}, or Gmail and others refuse mail\n{}",
                    address.text(),
                    is_called,
                    up.hostname,
                    provision::steps_for(up.hoster->reverse_steps, up.hostname, address.text())));
    return {};
  }
  if (up.only_plans()) {
    up.report.tell(Mark::planned, fmt::format("{} will be called {}", address.text(), up.hostname));
    return {};
  }
  const auto set = run_once<Result<void>>(
      [&](NetLoop& loop) { return set_reverse_name(loop, work, up, address); });
  if (!set)
    up.report.tell(Mark::trouble, fmt::format("{}: {}", address.text(), set.error().what));
  else
    up.report.tell(Mark::changed, fmt::format("{} is called {}", address.text(), up.hostname));
  return {};
}

}  // namespace

Result<void> up_dns(Up& up) {
  if (up.only_plans()) {
    TAPAL_TRY(const auto work, DnsWork::open(up.common, work_options(up)));
    TAPAL_TRY(const auto planning, plan_for(*work, PublishedBy::account_or_dns));
    tell(up, planning, Mark::planned);
    return {};
  }
  TAPAL_TRY(const auto work, open_to_write(up.common, work_options(up)));
  return work->provider().empty() ? wait_for_records(up, *work) : write_records(up, *work);
}

Result<void> up_reverse_names(Up& up) {
  TAPAL_TRY(const auto work, DnsWork::open(up.common, work_options(up)));
  for (const auto& address : up.addresses) {
    TAPAL_CHECK(have_reverse_name(up, *work, address));
  }
  return {};
}

Result<void> up_certificate(Up& up) {
  if (up.only_plans()) {
    up.report.tell(Mark::planned, fmt::format("a certificate for {}", up.hostname));
    return {};
  }
  TAPAL_TRY(const auto settings, load_settings(up.common.config));
  const auto folder =
      files::load_config_folder({up.common.config, settings.certificates_folder(up.common.config)});
  for (const auto& certificate : folder.certificates) {
    const auto facts = crypto::read_certificate(certificate.chain_pem);
    if (!facts || facts->self_signed || !crypto::covers(*facts, up.hostname)) continue;
    up.report.tell(Mark::fine,
                   fmt::format("{} has a certificate of {}", up.hostname, facts->issuer));
    return {};
  }
  boost::json::array names(settings.acme.names.begin(), settings.acme.names.end());
  TAPAL_TRY(const auto name,
            order_certificate(up.common, {{"command", "cert issue"}, {"names", std::move(names)}}));
  up.report.tell(Mark::changed, fmt::format("a certificate, in certs/{}", name));
  return up_dns(up);  // keys and the authority's account are published, too
}

}  // namespace tapal::app
