#include "rules/provision/wanted_records.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "values/dns/name.h"
#include "values/dns/rdata_fields.h"
#include "values/mail/address.h"
#include "values/text/ascii.h"

namespace tapal::provision {
namespace {

constexpr std::chrono::seconds record_ttl{3600};
constexpr std::uint16_t our_preference = 10;
constexpr std::uint16_t backup_preference = 20;
constexpr std::uint16_t https_port = 443;
constexpr std::size_t digest_bytes = 32;  // SHA-256
constexpr std::size_t egress_addresses_max = 64;
constexpr std::size_t no_mail_hosts_max = 100;

bool gets_mail(const MailIdentity& identity) { return identity.role != account::Role::send; }
bool sends_mail(const MailIdentity& identity) { return identity.role != account::Role::backup_mx; }

class List {
 public:
  explicit List(const MailIdentity& identity) : identity_(identity) {}

  Result<std::vector<WantedSet>> make() {
    add_host();
    if (gets_mail(identity_)) add_mail_exchange();
    if (sends_mail(identity_)) {
      add_sender_policy();
      add_signing_keys();
      add_dmarc();
    }
    if (gets_mail(identity_)) {
      add_transport_security();
      TAPAL_CHECK(add_issuers());
    }
    if (sends_mail(identity_)) {
      TAPAL_CHECK(add_client_help());
    }
    add_no_mail_hosts();
    return std::move(wanted_);
  }

 private:
  // What a set is for; its name and data are add()'s.
  struct Reason {
    Purpose purpose;
    Strength strength;
    std::string why;
  };
  void add(std::string name, dns::Type type, std::vector<dns::Data> data, Reason reason) {
    wanted_.push_back({{std::move(name), type, record_ttl, std::move(data)},
                       reason.purpose,
                       reason.strength,
                       std::move(reason.why)});
  }
  void add_text(std::string name, std::string text, Reason reason) {
    add(std::move(name), dns::Type::txt, {dns::Text{std::move(text)}}, std::move(reason));
  }
  std::string below_domain(std::string_view label) const {
    return fmt::format("{}.{}", label, identity_.domain);
  }

  void add_host() {
    std::vector<dns::Data> v4;
    std::vector<dns::Data> v6;
    for (const auto& address : identity_.addresses) (address.is_v4() ? v4 : v6).push_back(address);
    const Reason reason{Purpose::host_address,
                        Strength::must,
                        "the server's name must lead to every address mail goes out from, or "
                        "receivers do not believe its reverse DNS (RFC 8601 section 3)"};
    if (!v4.empty()) add(identity_.host, dns::Type::a, std::move(v4), reason);
    if (!v6.empty()) add(identity_.host, dns::Type::aaaa, std::move(v6), reason);
    // Where both are one name, the domain's own record speaks for the host.
    if (identity_.host != identity_.domain || !sends_mail(identity_))
      add_text(identity_.host,
               std::string(host_spf_text),
               {Purpose::host_policy,
                Strength::should,
                "bounces have no sender, so receivers check the name the server gives itself "
                "(RFC 7208 section 2.4)"});
  }

  void add_mail_exchange() {
    const bool is_backup = identity_.role == account::Role::backup_mx;
    add(identity_.domain,
        dns::Type::mx,
        {dns::MailExchange{is_backup ? backup_preference : our_preference, identity_.host}},
        {Purpose::mail_exchange,
         Strength::must,
         is_backup ? "keeps mail while the better MX is away (RFC 5321 section 5.1)"
                   : "leads mail for the domain, replies and bounces too, to this server (RFC 5321 "
                     "section 5.1)"});
  }

  void add_sender_policy() {
    add_text(identity_.domain,
             spf_text(identity_.addresses, identity_.spf_ending),
             {Purpose::sender_policy,
              Strength::must,
              "names the addresses that may send for the domain; addresses cost none of the ten "
              "DNS lookups (RFC 7208 section 4.6.4)"});
  }

  void add_signing_keys() {
    for (const auto& key : identity_.keys) {
      const bool is_current = key.stage == KeyPublication::Stage::current;
      const std::string_view why =
          is_current ? "lets receivers check the signatures (RFC 6376 section 3.6)"
          : key.stage == KeyPublication::Stage::next
              ? "the next key is published before it signs, so that every cache has it (RFC 6376 "
                "section 3.1)"
              : "the last key stays while mail that it signed is under way (RFC 6376 section 3.1)";
      add_text(
          below_domain(key.selector + "._domainkey"),
          key.value,
          {Purpose::signing_key, is_current ? Strength::must : Strength::should, std::string(why)});
    }
  }

  void add_dmarc() {
    add_text(below_domain("_dmarc"),
             dmarc_text(identity_),
             {Purpose::dmarc,
              Strength::must,
              "says what to do with mail that only pretends to be from the domain; bulk senders "
              "need one (RFC 9989 section 4.7)"});
    for (const auto* address : {&identity_.report_address, &identity_.failure_report_address})
      add_report_consent(*address);
  }

  // RFC 9990 section 4: who gets reports about others' domains must agree.
  void add_report_consent(std::string_view report_address) {
    const auto domain = report_address.substr(report_address.find('@') + 1);
    if (report_address.empty() || dns::is_subdomain_of(domain, identity_.domain) ||
        dns::is_subdomain_of(identity_.domain, domain))
      return;
    auto name = fmt::format("{}._report._dmarc.{}", identity_.domain, domain);
    if (std::ranges::any_of(wanted_, [&name](const auto& one) { return one.set.name == name; }))
      return;
    add_text(std::move(name),
             "v=DMARC1",
             {Purpose::report_consent,
              Strength::should,
              fmt::format("{} must agree to get reports about {}, or none are sent (RFC 9990 "
                          "section 4)",
                          domain,
                          identity_.domain)});
  }

  void add_transport_security() {
    if (!identity_.mta_sts_id.empty()) {
      add_text(below_domain("_mta-sts"),
               fmt::format("v=STSv1; id={};", identity_.mta_sts_id),
               {Purpose::mta_sts,
                Strength::should,
                "tells senders that there is a policy: TLS with a good certificate only (RFC 8461 "
                "section 3.1)"});
      add(below_domain("mta-sts"),
          dns::Type::cname,
          {dns::NameTarget{identity_.host}},
          {Purpose::mta_sts_host,
           Strength::should,
           "where senders fetch that policy (RFC 8461 section 3.3)"});
    }
    if (!identity_.report_address.empty())
      add_text(below_domain("_smtp._tls"),
               fmt::format("v=TLSRPTv1; rua=mailto:{}", identity_.report_address),
               {Purpose::tls_reports,
                Strength::may,
                "asks senders to report when TLS to this server fails (RFC 8460 section 3)"});
    if (!identity_.zone_is_signed || identity_.tlsa_digests.empty()) return;
    std::vector<dns::Data> pinned;
    pinned.reserve(identity_.tlsa_digests.size());
    for (const auto& digest : identity_.tlsa_digests)
      pinned.push_back(dns::to_data(dns::Association{3, 1, 1, digest}));
    add("_25._tcp." + identity_.host,
        dns::Type::tlsa,
        std::move(pinned),
        {Purpose::pinned_keys,
         Strength::may,
         "pins the server's key, and the one that comes next, for senders that check DNSSEC (RFC "
         "7672 section 3.1)"});
  }

  // At the host, where it limits nobody else: the names that lead there by CNAME are covered (RFC
  // 8659 section 3). At the domain it speaks for every name below, and others' certificates too.
  // Not before there is an account: a record that lets any account in would stay beside the one
  // that does not, since none is ever taken away.
  Result<void> add_issuers() {
    const auto& account = identity_.certificates;
    if (account.issuer.empty() || account.account_uri.empty()) return {};
    const auto value = account.issuer + "; accounturi=" + account.account_uri;
    const Reason reason{Purpose::issuers,
                        Strength::may,
                        "names the authority, and the account there, that may issue certificates "
                        "(RFC 8659 section 4, RFC 8657 section 3)"};
    TAPAL_TRY(const auto issue, dns::to_data(dns::Authorization{0, "issue", value}));
    TAPAL_TRY(const auto no_wildcard, dns::to_data(dns::Authorization{0, "issuewild", ";"}));
    if (identity_.host != identity_.domain)
      add(identity_.host, dns::Type::caa, {issue, no_wildcard}, reason);
    if (identity_.host == identity_.domain || account.has_wildcard)
      add(identity_.domain, dns::Type::caa, {issue}, reason);
    return {};
  }

  Result<void> add_client_help() {
    struct Service {
      std::string_view name;
      std::uint16_t port;
      Purpose purpose;
      std::string_view why;
    };
    constexpr std::array services{
        Service{"_submissions._tcp",
                465,
                Purpose::submission,
                "mail programs find the server to send by (RFC 8314 section 5.1)"},
        Service{"_submission._tcp",
                587,
                Purpose::submission,
                "the same for programs that begin in clear and change to TLS (RFC 6186 section "
                "3.1)"},
        Service{"_autodiscover._tcp",
                https_port,
                Purpose::client_settings,
                "Outlook finds the settings here (MS-OXDSCLI)"},
    };
    for (const auto& service : services) {
      if (service.purpose == Purpose::client_settings && !identity_.serves_client_settings)
        continue;
      const std::uint16_t weight = service.port == https_port ? 0 : 1;
      TAPAL_TRY(auto place, dns::to_data(dns::Service{0, weight, service.port, identity_.host}));
      add(below_domain(service.name),
          dns::Type::srv,
          {std::move(place)},
          {service.purpose, Strength::may, std::string(service.why)});
    }
    if (identity_.serves_client_settings)
      add(below_domain("autoconfig"),
          dns::Type::cname,
          {dns::NameTarget{identity_.host}},
          {Purpose::client_settings,
           Strength::may,
           "Thunderbird and others find the settings here (draft-ietf-mailmaint-autoconfig)"});
    return {};
  }

  void add_no_mail_hosts() {
    for (const auto& host : identity_.no_mail_hosts) {
      add(host,
          dns::Type::mx,
          {dns::MailExchange{0, ""}},
          {Purpose::no_mail,
           Strength::may,
           "the name gets no mail: senders give up at once (RFC 7505 section 3)"});
      add_text(host,
               "v=spf1 -all",
               {Purpose::no_mail_policy,
                Strength::may,
                "nobody sends mail in this name (RFC 7208 section 10.1.2)"});
    }
  }

  const MailIdentity& identity_;
  std::vector<WantedSet> wanted_;
};

Result<void> check_name(std::string_view what, std::string_view name) {
  const auto parsed = dns::parse_name(name);
  if (!parsed) return fail(Code::invalid, fmt::format("the {}: {}", what, parsed.error().what));
  if (*parsed != name || !name.contains('.'))
    return fail(
        Code::invalid,
        fmt::format("the {}: \"{}\" is not a full name in lower case, as in mail.example.com",
                    what,
                    text::printable(name)));
  return {};
}

// What may stand in a mailto: URI of a record without being escaped; quotes and "%" nobody needs.
Result<void> check_report_address(std::string_view address) {
  if (address.empty()) return {};
  const bool is_plain = std::ranges::all_of(
      address, [](char c) { return text::is_alnum(c) || std::string_view("@.-_+=").contains(c); });
  if (!is_plain || !mail::parse_address(address))
    return fail(Code::invalid,
                fmt::format("\"{}\" cannot get reports: letters, digits and .-_+= make an address "
                            "that stands in a DNS record",
                            text::printable(address)));
  return {};
}

Result<void> check(const MailIdentity& identity) {
  TAPAL_CHECK(check_name("domain", identity.domain));
  TAPAL_CHECK(check_name("host", identity.host));
  for (const auto& host : identity.no_mail_hosts) {
    TAPAL_CHECK(check_name("host without mail", host));
    if (host == identity.domain || host == identity.host)
      return fail(Code::invalid, host + " sends mail and cannot be a name without mail");
  }
  for (const auto& key : identity.keys) {
    TAPAL_CHECK(dns::parse_name(key.selector));
  }
  TAPAL_CHECK(check_report_address(identity.report_address));
  TAPAL_CHECK(check_report_address(identity.failure_report_address));
  if (identity.addresses.empty())
    return fail(Code::invalid,
                "no address that mail goes out from is known; tell it with --address");
  if (identity.addresses.size() > egress_addresses_max ||
      identity.no_mail_hosts.size() > no_mail_hosts_max)
    return fail(Code::invalid,
                fmt::format("more than {} addresses, or {} names without mail",
                            egress_addresses_max,
                            no_mail_hosts_max));
  for (const auto& digest : identity.tlsa_digests)
    if (digest.size() != digest_bytes)
      return fail(Code::invalid, "a key's digest has not 32 bytes");
  return {};
}

}  // namespace

std::string_view purpose_text(Purpose purpose) {
  switch (purpose) {
    case Purpose::host_address: return "server address";
    case Purpose::mail_exchange: return "mail exchange";
    case Purpose::sender_policy: return "sender policy (SPF)";
    case Purpose::host_policy: return "server's sender policy (SPF)";
    case Purpose::signing_key: return "signing key (DKIM)";
    case Purpose::dmarc: return "DMARC policy";
    case Purpose::report_consent: return "consent to reports (DMARC)";
    case Purpose::mta_sts: return "MTA-STS policy id";
    case Purpose::mta_sts_host: return "MTA-STS policy host";
    case Purpose::tls_reports: return "TLS reports";
    case Purpose::issuers: return "certificate authorities (CAA)";
    case Purpose::pinned_keys: return "pinned keys (DANE)";
    case Purpose::submission: return "submission service";
    case Purpose::client_settings: return "settings for mail programs";
    case Purpose::no_mail: return "no mail for this name";
    case Purpose::no_mail_policy: return "no mail from this name";
  }
  return "record";
}

std::string_view strength_text(Strength strength) {
  switch (strength) {
    case Strength::must: return "must";
    case Strength::should: return "should";
    case Strength::may: return "may";
  }
  return "may";
}

Result<std::vector<WantedSet>> wanted_records(const MailIdentity& identity) {
  TAPAL_CHECK(check(identity));
  return List(identity).make();
}

std::vector<WantedSet> unwanted_records(const MailIdentity& identity) {
  std::vector<WantedSet> unwanted;
  if (!identity.mta_sts_id.empty() && gets_mail(identity)) return unwanted;
  const auto add = [&](std::string_view label, dns::Type type, Purpose purpose) {
    auto name = fmt::format("{}.{}", label, identity.domain);
    unwanted.push_back({{std::move(name), type, record_ttl, {}},
                        purpose,
                        Strength::should,
                        "we wrote it, and no policy is served any more (RFC 8461 section 8.3)"});
  };
  add("_mta-sts", dns::Type::txt, Purpose::mta_sts);
  add("mta-sts", dns::Type::cname, Purpose::mta_sts_host);
  return unwanted;
}

const WantedSet* find_wanted(const std::vector<WantedSet>& wanted, Purpose purpose) {
  const auto found = std::ranges::find(wanted, purpose, &WantedSet::purpose);
  return found == wanted.end() ? nullptr : &*found;
}

std::string spf_text(std::span<const IpAddress> addresses, SpfEnding ending) {
  std::string text = "v=spf1";
  for (const auto& address : addresses)
    text += fmt::format(" ip{}:{}", address.is_v4() ? 4 : 6, address.text());
  if (addresses.empty()) text += " mx";
  return text + (ending == SpfEnding::fail ? " -all" : " ~all");
}

// np= comes with the first step: while all is only watched, nothing is to be refused (RFC 9989
// section 4.7).
std::string dmarc_text(const MailIdentity& identity) {
  auto text = fmt::format("v=DMARC1; p={}", mailauth::dmarc_policy_text(identity.dmarc));
  if (identity.dmarc != mailauth::DmarcPolicy::none) text += "; np=reject";
  if (!identity.report_address.empty())
    text += fmt::format("; rua=mailto:{}", identity.report_address);
  if (!identity.failure_report_address.empty())
    text += fmt::format("; ruf=mailto:{}", identity.failure_report_address);
  return text;
}

}  // namespace tapal::provision
