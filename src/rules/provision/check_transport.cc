// What is published so that others insist on TLS: MTA-STS, TLS reports, DANE; and CAA, which says
// who may make our certificates.
#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "protocols/tlspolicy/mta_sts.h"
#include "rules/provision/checks.h"
#include "values/dns/name.h"
#include "values/dns/rdata_fields.h"
#include "values/text/ascii.h"
#include "values/text/hex.h"

namespace tapal::provision {
namespace {

using tlspolicy::MtaStsMode;

constexpr std::chrono::seconds max_age_least{86'400};  // a day; weeks are better

// Nothing while they are asked for; sorted by preference.
std::optional<std::vector<std::string>> exchanges_of(Look& look) {
  const auto* mx = look.dns(look.home.domain, dns::Type::mx);
  if (mx == nullptr) return {};
  std::vector<std::string> names;
  for (const auto& one : data_of<dns::MailExchange>(*mx))
    if (!one.exchange.empty()) names.push_back(one.exchange);
  return names;
}

// RFC 8461 section 4.1.
bool covers(const tlspolicy::MtaStsPolicy& policy, std::string_view exchange) {
  const auto above = dns::parent_of(exchange);
  return std::ranges::any_of(policy.mx, [&](std::string_view pattern) {
    return pattern == exchange ||
           (pattern.starts_with("*.") && !above.empty() && pattern.substr(2) == above);
  });
}

void judge_policy(Look& look,
                  const tlspolicy::MtaStsPolicy& policy,
                  const std::vector<std::string>& exchanges) {
  const auto& domain = look.home.domain;
  std::vector<std::string> missing;
  for (const auto& name : exchanges)
    if (!covers(policy, name)) missing.push_back(name);
  if (!missing.empty() && policy.mode != MtaStsMode::none)
    return look.error(
        domain,
        {.seen = fmt::format("the policy does not name {}", fmt::join(missing, ", ")),
         .expected = "every MX of the domain: mail for the others is held back",
         .fix = fmt::format(
             "add to the policy: mx: {}, and change id= of _mta-sts.{}", missing.front(), domain)});
  if (policy.max_age < max_age_least)
    return look.warn(domain,
                     {.seen = fmt::format("max_age is {} s", policy.max_age.count()),
                      .expected = "a week: 604800",
                      .fix = "set max_age: 604800 in the policy"});
  if (policy.mode != MtaStsMode::enforce)
    return look.info(domain,
                     {.seen = policy.mode == MtaStsMode::none ? "mode: none" : "mode: testing",
                      .expected = "mode: enforce, once reports show no trouble",
                      .fix = "set mode: enforce in the policy, and change id= in DNS"});
  look.ok(domain, "enforced");
}

struct TlsaRecord {
  int usage = 0;
  int selector = 0;
  int matching = 0;
  std::string_view bytes;
};

std::optional<TlsaRecord> tlsa_of(const dns::RawData& data) {
  if (data.bytes.size() < 4) return {};
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(data.bytes[i]); };
  return TlsaRecord{at(0), at(1), at(2), std::string_view(data.bytes).substr(3)};
}

// Only what certificates' digests can answer; others are left alone.
bool is_judged(const TlsaRecord& record) {
  return record.usage == 3 && record.matching == 1 && record.selector <= 1;
}

bool fits(const TlsaRecord& record, const crypto::CertificateFacts& facts) {
  return record.bytes == crypto::bytes_of(record.selector == 1 ? facts.key_sha256 : facts.sha256);
}

void judge_tlsa(Look& look, const DnsFact& tlsa, const OwnService& service) {
  const auto name = "_25._tcp." + look.home.host;
  // NOLINTNEXTLINE(bugprone-unchecked-optional-access): only services that showed one come here
  const auto& facts = *service.fact->certificate;
  bool any_judged = false;
  for (const auto& data : data_of<dns::RawData>(tlsa)) {
    const auto record = tlsa_of(data);
    if (!record || !is_judged(*record)) continue;
    any_judged = true;
    if (fits(*record, facts)) return look.ok(service.text(), "it matches " + name);
  }
  const auto wanted = fmt::format("3 1 1 {}", text::to_hex(crypto::bytes_of(facts.key_sha256)));
  if (!any_judged)
    return look.info(service.text(),
                     {.seen = "no record of the form 3 1 1",
                      .expected = wanted,
                      .fix = "the other forms break when an authority changes its certificates"});
  look.error(service.text(),
             {.seen = "no record at " + name + " matches the key that is served",
              .expected = wanted + ": until then servers that check DANE deliver nothing here",
              .fix = fmt::format("publish: {}. 3600 IN TLSA {}", name, wanted)});
}

// The authority of an issue property, as `letsencrypt.org; accounturi=...` (RFC 8659 section 4.2).
std::optional<std::string> issuer_of(const dns::RawData& data) {
  const auto property = dns::authorization_from_data(data);
  if (!property || !text::equals_ignoring_case(property->tag, "issue")) return {};
  return text::to_lower(
      text::trim(std::string_view(property->value).substr(0, property->value.find(';'))));
}

}  // namespace

void check_mta_sts(Look& look) {
  const auto& domain = look.home.domain;
  const auto exchanges = exchanges_of(look);
  const auto* fact = look.dns("_mta-sts." + domain, dns::Type::txt);
  if (fact == nullptr || !exchanges || exchanges->empty()) return;
  if (has_failed(*fact)) return look.cannot_tell(domain, "TXT _mta-sts." + domain);
  const auto records = texts_beginning(*fact, "v=STSv1");
  if (records.empty())
    return look.info(domain,
                     {.seen = "no MTA-STS",
                      .expected = "a policy: senders then insist on TLS, and tell when it fails",
                      .fix = fmt::format("tapal dns plan {}", domain)});
  if (records.size() > 1 || records.front().find("id=") == std::string::npos)
    return look.error("_mta-sts." + domain,
                      {.seen = records.size() > 1 ? "several records" : "no id=",
                       .expected = "one record with an id=",
                       .fix = publish_text(look, "_mta-sts." + domain, "v=STSv1; id=1")});
  const auto url = fmt::format("https://mta-sts.{}/.well-known/mta-sts.txt", domain);
  const auto* page = look.page(url);
  if (page == nullptr) return;
  if (page->status != 200)
    return look.error(
        url,
        {.seen = page->status == 0 ? page->trouble : fmt::format("the answer is {}", page->status),
         .expected = "the policy, under a certificate for mta-sts." + domain,
         .fix = "publish an address for mta-sts." + domain +
                " and let the certificate cover it, or take the record away"});
  const auto policy = tlspolicy::parse_mta_sts(page->body);
  if (!policy)
    return look.error(url,
                      {.seen = policy.error().what,
                       .expected = "a policy as RFC 8461 section 3.2 has it",
                       .fix = fmt::format("version: STSv1\nmode: testing\nmx: {}\nmax_age: 604800",
                                          look.home.host)});
  judge_policy(look, *policy, *exchanges);
}

void check_tls_rpt(Look& look) {
  const auto name = "_smtp._tls." + look.home.domain;
  const auto* fact = look.dns(name, dns::Type::txt);
  if (fact == nullptr) return;
  if (has_failed(*fact)) return look.cannot_tell(name, "TXT " + name);
  const auto wanted = fmt::format("v=TLSRPTv1; rua=mailto:tls@{}", look.home.domain);
  const auto records = texts_beginning(*fact, "v=TLSRPTv1");
  if (records.empty())
    return look.info(name,
                     {.seen = "no record",
                      .expected = wanted + " (RFC 8460)",
                      .fix = publish_text(look, name, wanted)});
  if (records.size() > 1 || records.front().find("rua=") == std::string::npos)
    return look.warn(name,
                     {.seen = records.size() > 1 ? "several records: none counts" : "no rua=",
                      .expected = wanted,
                      .fix = publish_text(look, name, wanted)});
  look.ok(name, text::printable(records.front()));
}

void check_dane(Look& look) {
  const auto name = "_25._tcp." + look.home.host;
  const auto* tlsa = look.dns(name, dns::Type::tlsa);
  const auto services = own_services(look);
  if (tlsa == nullptr || !services) return;
  if (has_failed(*tlsa)) return look.cannot_tell(name, "TLSA " + name);
  if (data_of<dns::RawData>(*tlsa).empty())
    return look.info(name,
                     {.seen = "no TLSA record",
                      .expected = "3 1 1, where the zone is signed (RFC 7672)",
                      .fix = fmt::format("tapal dns plan {}", look.home.domain)});
  if (!tlsa->is_secure)
    return look.warn(name,
                     {.seen = "TLSA records in a zone that is not signed: nobody heeds them",
                      .expected = "DNSSEC, or no TLSA records",
                      .fix = "sign the zone; see dns.dnssec"});
  for (const auto& service : *services)
    if (service.port.door == OwnPort::Door::relay && service.fact->certificate)
      judge_tlsa(look, *tlsa, service);
}

// The nearest name upwards that has any CAA record decides (RFC 8659 section 3).
void check_caa(Look& look) {
  std::string name = look.home.host;
  while (name.find('.') != std::string::npos) {
    const auto* fact = look.dns(name, dns::Type::caa);
    if (fact == nullptr) return;
    if (has_failed(*fact))
      return look.error(name,
                        {.seen = "no answer about CAA: authorities refuse to issue then",
                         .expected = "an answer, also \"none\"",
                         .fix = "the name servers are at fault: tell the DNS provider"});
    std::vector<std::string> issuers;
    bool any = false;
    for (const auto& data : data_of<dns::RawData>(*fact)) {
      any = true;
      if (auto issuer = issuer_of(data)) issuers.push_back(*std::move(issuer));
    }
    if (any) {
      const auto is_allowed = [&](const std::string& one) {
        return std::ranges::find(issuers, one) != issuers.end();
      };
      if (issuers.empty() || std::ranges::any_of(look.home.outside.issuers, is_allowed))
        return look.ok(name,
                       issuers.empty() ? "no limit on who issues"
                                       : fmt::format("{}", fmt::join(issuers, ", ")));
      return look.error(
          name,
          {.seen = fmt::format("only {} may issue", fmt::join(issuers, ", ")),
           .expected = fmt::format("{}", fmt::join(look.home.outside.issuers, " or ")),
           .fix = fmt::format(
               "publish beside it: {}. 3600 IN CAA 0 issue \"{}\"",
               name,
               look.home.outside.issuers.empty() ? "" : look.home.outside.issuers.front())});
    }
    name = std::string(dns::parent_of(name));
  }
  look.info(look.home.domain,
            {.seen = "no CAA: any authority may issue for it",
             .expected = "ours alone",
             .fix = fmt::format(
                 "publish: {}. 3600 IN CAA 0 issue \"{}\"",
                 look.home.domain,
                 look.home.outside.issuers.empty() ? "" : look.home.outside.issuers.front())});
}

}  // namespace tapal::provision
