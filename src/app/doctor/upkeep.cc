#include "app/doctor/upkeep.h"

#include <algorithm>
#include <utility>

#include "app/backup/config_backup.h"
#include "app/certificates/parts.h"
#include "app/dnsapi/account.h"
#include "rules/provision/checks.h"
#include "values/text/date.h"

namespace tapal::app {
namespace {

using provision::BackupFacts;
using provision::CredentialFacts;
using provision::RenewalFacts;

RenewalFacts plan_of(const KeptCertificate& kept, const upkeep::CertificateNote& note) {
  RenewalFacts facts{kept.name, {}, note.failure ? note.failure->what : std::string()};
  if (const auto certificate = crypto::read_certificate(kept.chain_pem))
    facts.next = upkeep::renewal_due(note, *certificate);
  else if (note.failure)
    facts.next = note.failure->next_try;
  return facts;
}

// The zone, when it can be read.
Task<Result<std::string>> zone_of(Loop& loop,
                                  const DnsAccountSettings& settings,
                                  const dnsapi::World& world,
                                  std::string name) {
  TAPAL_CO_TRY(const auto account, open_dns_account(settings, world));
  TAPAL_CO_TRY(auto zone, co_await account->find_zone(loop, std::move(name)));
  const auto read = co_await account->read(loop, zone, zone, dns::Type::txt);
  if (!read) co_return std::unexpected(read.error());
  co_return zone;
}

Task<BackupFacts> look_at_backup(Loop& loop, Programs& programs, std::filesystem::path config) {
  BackupFacts facts;
  facts.repository = ConfigBackup::is_there(config);
  if (!facts.repository) co_return facts;
  ConfigBackup backup(loop, programs, config);
  auto status = co_await backup.status();
  if (!status) {
    facts.trouble = std::move(status.error().what);
    co_return facts;
  }
  facts.remote = std::move(status->remote);
  if (const auto time = text::parse_rfc3339_date(status->last.time)) facts.committed = *time;
  facts.not_pushed = status->not_pushed;
  facts.changed = std::move(status->changed);
  facts.trouble = std::move(status->sealer_trouble);
  co_return facts;
}

Task<std::vector<CredentialFacts>> look_at_accounts(Loop& loop,
                                                    const DnsSettings& settings,
                                                    const dnsapi::World& world,
                                                    std::vector<std::string> names) {
  std::vector<CredentialFacts> all;
  for (auto& name : names) {
    const auto& account = dns_account_of(settings, name);
    const auto* provider = dnsapi::find_dns_provider(account.provider);
    if (account.provider.empty()) continue;
    CredentialFacts facts{account.provider, {}, {}, {}};
    if (provider != nullptr) facts.scope = provider->scope;
    auto zone = co_await zone_of(loop, account, world, name);
    if (zone)
      facts.zone = *std::move(zone);
    else
      facts.problem = std::move(zone.error().what);
    const bool is_known = std::ranges::any_of(all, [&facts](const CredentialFacts& one) {
      return one.provider == facts.provider && one.zone == facts.zone &&
             one.problem == facts.problem;
    });
    if (!is_known) all.push_back(std::move(facts));
  }
  co_return all;
}

}  // namespace

std::optional<std::vector<RenewalFacts>> renewal_plans(const std::filesystem::path& config,
                                                       const Settings& settings) {
  const auto kept = certificate_folder(config, settings).list();
  if (!kept) return {};
  const auto wanted = upkeep::folder_name(settings.acme.names);
  std::vector<RenewalFacts> plans;
  for (const auto& one : *kept) {
    if (one.note.empty() || (one.chain_pem.empty() && one.name != wanted)) continue;
    if (const auto note = upkeep::read_certificate_note(one.note))
      plans.push_back(plan_of(one, *note));
    else
      plans.push_back({one.name, {}, note.error().what});
  }
  if (plans.empty() && wanted.empty()) return {};
  if (!wanted.empty() && std::ranges::find(plans, wanted, &RenewalFacts::name) == plans.end())
    plans.push_back({wanted, {}, {}});
  return plans;
}

Task<provision::Home> with_upkeep(provision::Home home,
                                  DoctorUpkeepWorld world,
                                  std::vector<std::string> only) {
  const auto is_asked = [&only](std::string_view check) {
    return provision::is_chosen(*provision::find_check(check), only);
  };
  if (is_asked("backup.state"))
    home.backup = co_await look_at_backup(world.loop, world.programs, world.config);
  if (is_asked("dns.credentials")) {
    std::vector<std::string> names{home.domain, home.host};
    home.credentials =
        co_await look_at_accounts(world.loop, world.dns, world.accounts, std::move(names));
  }
  co_return home;
}

}  // namespace tapal::app
