// SPF, evaluated as receivers do it.
#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "protocols/mailauth/spf_check.h"
#include "rules/provision/checks.h"
#include "rules/provision/spf_merge.h"
#include "rules/provision/wanted_records.h"
#include "values/text/ascii.h"

namespace tapal::provision {
namespace {

using mailauth::SpfVerdict;

constexpr std::size_t lookups_near_the_limit = 8;

// What `tapal dns plan` publishes where there is none.
std::string wanted_spf(const Look& look) { return spf_text(look.home.egress, SpfEnding::softfail); }

// The domain's records; nothing while they are not known, or where DNS could not tell.
std::optional<std::vector<std::string>> records_of(Look& look, const std::string& domain) {
  const auto* fact = look.dns(domain, dns::Type::txt);
  if (fact == nullptr || has_failed(*fact)) return {};
  std::vector<std::string> records;
  for (auto& text : data_of<dns::Text>(*fact))
    if (mailauth::SpfRecord::has_version(text.value)) records.push_back(std::move(text.value));
  return records;
}

mailauth::SpfCheck question(const Look& look,
                            const IpAddress& ip,
                            mailauth::SpfIdentity identity,
                            mailauth::SpfLimits limits = {}) {
  return mailauth::SpfCheck(
      {ip, std::move(identity), look.home.host, look.home.host, look.home.now}, limits);
}

mailauth::SpfIdentity of_domain(const Look& look) {
  return mailauth::SpfIdentity::of_mail_from("postmaster@" + look.home.domain, look.home.host);
}

// What `tapal dns plan` makes of it.
std::string with_our_addresses(const Look& look, std::string_view record) {
  return merge_spf({&record, 1}, look.home.egress).value_or(wanted_spf(look));
}

void tell_verdict(Look& look,
                  const std::string& subject,
                  const mailauth::SpfResult& result,
                  const std::string& fix) {
  const auto verdict = mailauth::spf_verdict_text(result.verdict);
  if (result.verdict == SpfVerdict::pass) return look.ok(subject, "pass by " + result.mechanism);
  if (result.verdict == SpfVerdict::temperror) return look.cannot_tell(subject, result.reason);
  look.error(
      subject,
      {.seen = fmt::format("{}: {}", verdict, result.reason), .expected = "pass", .fix = fix});
}

}  // namespace

void check_spf_record(Look& look) {
  const auto& domain = look.home.domain;
  const auto* fact = look.dns(domain, dns::Type::txt);
  if (fact == nullptr) return;
  const auto records = records_of(look, domain);
  if (!records) return look.cannot_tell(domain, "TXT " + domain);
  if (records->empty())
    return look.error(domain,
                      {.seen = "no SPF record",
                       .expected = wanted_spf(look),
                       .fix = publish_text(look, domain, wanted_spf(look))});
  if (records->size() > 1)
    return look.error(
        domain,
        {.seen = fmt::format("{} SPF records: none counts (RFC 7208 section 4.5): {}",
                             records->size(),
                             text::printable(fmt::format("{}", fmt::join(*records, " | ")))),
         .expected = "one that says what all of them say",
         .fix = fmt::format("join them: `tapal dns plan {}` shows how", domain)});
  if (const auto parsed = mailauth::SpfRecord::parse(records->front()); !parsed)
    return look.error(domain,
                      {.seen = fmt::format("it cannot be read: {}", parsed.error().what),
                       .expected = wanted_spf(look),
                       .fix = publish_text(look, domain, wanted_spf(look))});
  look.ok(domain, text::printable(records->front()));
}

void check_spf_egress(Look& look) {
  const auto records = records_of(look, look.home.domain);
  if (!records || records->size() != 1) return;  // spf.record tells that
  for (const auto& address : look.home.egress) {
    auto check = question(look, address, of_domain(look));
    if (!look.drive(check)) continue;
    tell_verdict(look,
                 address.text(),
                 check.result(),
                 publish_text(look, look.home.domain, with_our_addresses(look, records->front())));
  }
}

void check_spf_helo(Look& look) {
  const auto& host = look.home.host;
  for (const auto& address : look.home.egress) {
    auto check = question(look, address, mailauth::SpfIdentity::of_helo(host));
    if (!look.drive(check)) continue;
    const auto& result = check.result();
    if (result.verdict == SpfVerdict::pass) {
      look.ok(address.text(), "pass by " + result.mechanism);
    } else if (result.verdict == SpfVerdict::temperror) {
      look.cannot_tell(address.text(), result.reason);
    } else {
      look.warn(
          address.text(),
          {.seen = fmt::format(
               "{} for {}: {}", mailauth::spf_verdict_text(result.verdict), host, result.reason),
           .expected = "pass: notices have no other sender to be checked by (RFC 7208 section "
                       "2.4)",
           .fix = publish_text(look, host, std::string(host_spf_text))});
    }
  }
}

// Evaluated for an address that no term covers, so that every term is asked for.
void check_spf_limits(Look& look) {
  const auto stranger = IpAddress::v4({192, 0, 2, 254});
  const auto records = records_of(look, look.home.domain);
  if (!records || records->size() != 1) return;
  if (!mailauth::SpfRecord::parse(records->front())) return;
  auto whole = question(look, stranger, of_domain(look));
  mailauth::SpfLimits close;
  close.lookup_terms_max = lookups_near_the_limit;
  auto careful = question(look, stranger, of_domain(look), close);
  if (!look.drive(whole) || !look.drive(careful)) return;
  const auto fix = fmt::format(
      "put addresses (ip4:, ip6:) in the place of includes and of a and mx terms, and drop what no "
      "longer sends: `tapal dns plan {}`",
      look.home.domain);
  if (whole.result().verdict == SpfVerdict::permerror) {
    look.error(look.home.domain,
               {.seen = whole.result().reason,
                .expected = "10 lookups at most, 2 of them in vain (RFC 7208 section 4.6.4)",
                .fix = fix});
  } else if (careful.result().verdict == SpfVerdict::permerror) {
    look.warn(look.home.domain,
              {.seen = fmt::format("more than {} lookups: the next one that an include adds spoils "
                                   "the record",
                                   lookups_near_the_limit),
               .expected = "some room below 10",
               .fix = fix});
  } else {
    look.ok(look.home.domain, "within the limits");
  }
}

void check_spf_end(Look& look) {
  const auto& domain = look.home.domain;
  const auto records = records_of(look, domain);
  if (!records || records->size() != 1) return;
  const auto record = mailauth::SpfRecord::parse(records->front());
  if (!record || record->redirect) return;
  const auto all =
      std::ranges::find(record->terms, mailauth::SpfMechanism::all, &mailauth::SpfTerm::mechanism);
  if (all != record->terms.end() && all->verdict == SpfVerdict::pass)
    return look.error(domain,
                      {.seen = "+all: everybody may send as this domain",
                       .expected = "~all, or -all",
                       .fix = publish_text(look, domain, wanted_spf(look))});
  if (all == record->terms.end() || all->verdict == SpfVerdict::neutral)
    return look.warn(domain,
                     {.seen = all == record->terms.end() ? "no all at its end" : "?all at its end",
                      .expected = "~all, or -all: else it says nothing about strangers",
                      .fix = "let the record end in ~all"});
  look.ok(domain, all->text);
}

}  // namespace tapal::provision
