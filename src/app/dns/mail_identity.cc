#include "app/dns/mail_identity.h"

#include <algorithm>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "app/certificates/parts.h"
#include "drivers/files/config_folder.h"
#include "drivers/net/addresses.h"
#include "protocols/acme/authorities.h"
#include "protocols/mailauth/dkim_key_record.h"
#include "rules/account/mta_sts.h"
#include "services/upkeep/certificate_keeper.h"
#include "values/crypto/certificate.h"
#include "values/crypto/hash.h"
#include "values/crypto/key.h"
#include "values/text/idna.h"
#include "values/text/json_fields.h"

namespace tapal::app {
namespace {

using provision::KeyStage;
using provision::MailIdentity;

Result<void> add_addresses(const Settings& settings,
                           const IdentityOptions& options,
                           MailIdentity& identity) {
  for (const auto& text : options.addresses) {
    const auto address = IpAddress::from_text(text);
    if (!address)
      return fail(Code::invalid, text + " is not an IP address, as in 192.0.2.1 or 2001:db8::1");
    identity.addresses.push_back(*address);
  }
  if (identity.addresses.empty()) identity.addresses = egress_addresses(settings);
  return {};
}

provision::KeyPublication::Stage use_of(KeyStage stage) {
  using enum provision::KeyPublication::Stage;
  if (stage == KeyStage::signing) return current;
  return stage == KeyStage::retiring || stage == KeyStage::revoked ? old : next;
}

Result<void> add_keys(const files::ConfigFolder& folder, MailIdentity& identity) {
  const auto keys = folder.signing_keys.find(identity.domain);
  if (keys == folder.signing_keys.end()) return {};
  for (const auto& key : keys->second) {
    const auto parsed = crypto::PrivateKey::from_pem(key.pem);
    if (!parsed) return fail(Code::invalid, key.file + ": " + parsed.error().what);
    TAPAL_TRY(const auto record, mailauth::DkimKeyRecord::for_key(*parsed));
    const auto stage = key.state.stage;
    identity.keys.push_back(
        {key.selector, stage == KeyStage::revoked ? "v=DKIM1; p=" : record.text(), use_of(stage)});
  }
  return {};
}

// Policies and settings are served where there are listeners for https.
void add_web(const Settings& settings,
             const account::DomainSettings& domain,
             MailIdentity& identity) {
  identity.serves_client_settings = !settings.listen.https.empty();
  if (settings.listen.https.empty()) return;
  const auto policy = account::mta_sts_policy(domain, identity.host);
  if (!policy) return;
  identity.mta_sts_id = tlspolicy::mta_sts_id(*policy);
  for (const auto& host : policy->mx)
    if (host != identity.host) identity.mta_sts_mx.push_back(host);
}

void add_digest(const crypto::Digest& digest, MailIdentity& identity) {
  std::string bytes(crypto::bytes_of(digest));
  auto& digests = identity.tlsa_digests;
  if (std::ranges::find(digests, bytes) == digests.end()) digests.push_back(std::move(bytes));
}

// The key that is served, and the one that the next certificate will have.
void add_pinned_keys(const files::ConfigFolder& folder,
                     files::CertificateFolder& ours,
                     MailIdentity& identity) {
  for (const auto& certificate : folder.certificates) {
    const auto facts = crypto::read_certificate(certificate.chain_pem);
    if (!facts || !crypto::covers(*facts, identity.host)) continue;
    add_digest(facts->key_sha256, identity);
    const auto next = ours.next_key(certificate.name);
    if (!next) continue;
    if (const auto key = crypto::PrivateKey::from_pem(*next))
      add_digest(crypto::sha256(key->public_key_der()), identity);
  }
}

void add_issuer(const Settings& settings, files::CertificateFolder& ours, MailIdentity& identity) {
  const auto& acme = settings.acme;
  const auto authority = acme::find_authority(acme.directory);
  if (acme.names.empty() || !authority) return;
  auto& wanted = identity.certificates;
  wanted.issuer = authority->issuer_name;
  wanted.has_wildcard = std::ranges::find(acme.names, "*." + identity.domain) != acme.names.end();
  const auto account = ours.account(upkeep::account_name(acme::directory_url_of(acme.directory)));
  if (!account) return;
  const auto note = text::parse_object(account->note);
  if (!note) return;
  if (auto url = text::text_at(*note, "url"); !url.empty()) wanted.account_uri = std::move(url);
}

mailauth::DmarcPolicy policy_of(std::string_view name) {
  if (name == "reject") return mailauth::DmarcPolicy::reject;
  return name == "quarantine" ? mailauth::DmarcPolicy::quarantine : mailauth::DmarcPolicy::none;
}

}  // namespace

void declare_identity(const Command& command, IdentityOptions& into) {
  command.text({"domain", "a domain of ours", true}, into.domain);
  command.texts({"--address",
                 "an address mail goes out from, as often as needed; default: as set for sending, "
                 "else this machine's public ones"},
                into.addresses);
  command.text({"--reports", "who gets DMARC and TLS reports; default: postmaster of the domain"},
               into.reports);
  command.texts({"--no-mail-host", "a name that neither gets nor sends mail, as www.example.com"},
                into.no_mail_hosts);
  command.text(
      {"--spf-end",
       "how a new SPF record ends: ~all (default; forwarded mail is not lost) or -all (for "
       "domains that no person writes from)",
       false,
       {},
       {"~all", "-all"}},
      into.spf_end);
  command.text(
      {"--dmarc",
       "the policy of a new DMARC record; default none, until reports tell that all is well",
       false,
       {},
       {"none", "quarantine", "reject"}},
      into.dmarc);
}

std::vector<IpAddress> egress_addresses(const Settings& settings) {
  auto addresses = delivery::source_addresses(settings.delivery);
  if (!addresses.empty()) return addresses;
  for (const auto& address : public_addresses())
    if (delivery::is_of(settings.delivery.family, address)) addresses.push_back(address);
  return addresses;
}

Result<MailIdentity> gather_identity(const CommonOptions& common,
                                     const Settings& settings,
                                     const IdentityOptions& options) {
  MailIdentity identity;
  TAPAL_TRY(identity.domain, text::domain_to_ascii(options.domain));
  TAPAL_TRY(identity.host, text::domain_to_ascii(settings.hostname));
  const auto folder =
      files::load_config_folder({common.config, settings.certificates_folder(common.config)});
  const auto* domain = folder.directory.settings(identity.domain);
  if (domain == nullptr)
    return fail(
        Code::not_found,
        fmt::format("{0} is no domain of ours; `tapal init {0}` makes it one", identity.domain));
  identity.role = domain->role;
  identity.spf_ending =
      options.spf_end == "-all" ? provision::SpfEnding::fail : provision::SpfEnding::softfail;
  identity.dmarc = policy_of(options.dmarc);
  identity.report_address =
      options.reports.empty() ? "postmaster@" + identity.domain : options.reports;
  for (const auto& host : options.no_mail_hosts) {
    TAPAL_TRY(auto name, text::domain_to_ascii(host));
    identity.no_mail_hosts.push_back(std::move(name));
  }
  TAPAL_CHECK(add_addresses(settings, options, identity));
  TAPAL_CHECK(add_keys(folder, identity));
  auto ours = certificate_folder(common.config, settings);
  add_web(settings, *domain, identity);
  add_pinned_keys(folder, ours, identity);
  add_issuer(settings, ours, identity);
  return identity;
}

}  // namespace tapal::app
