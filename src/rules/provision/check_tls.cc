// TLS as others see it at our ports, beside what lies on the disk.
#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "rules/provision/checks.h"
#include "values/text/date.h"

namespace tapal::provision {
namespace {

using Door = OwnPort::Door;

// Where a look at TLS succeeded; the ports that did not answer are port.in's.
bool has_answered(const OwnService& service) {
  return service.fact->reach == SmtpFact::Reach::answered;
}

std::string chain_problem(const SmtpFact& fact) {
  // NOLINTNEXTLINE(bugprone-unchecked-optional-access): only services that showed one come here
  const auto& facts = *fact.certificate;
  if (facts.self_signed) return "it is self-signed";
  if (fact.certificates_sent == 1)
    return fmt::format("it comes alone, without its issuer's ({})", facts.issuer);
  return fmt::format(
      "its issuer ({}) is no authority known here: {}", facts.issuer, fact.tls_trouble);
}

// What a strict client finds; empty: nothing.
Advice certificate_problem(const Look& look, const SmtpFact& fact) {
  // NOLINTNEXTLINE(bugprone-unchecked-optional-access): only services that showed one come here
  const auto& facts = *fact.certificate;
  const auto& host = look.home.host;
  if (!crypto::covers(facts, host))
    return {.seen = fmt::format("it is for {}", fmt::join(facts.names, ", ")),
            .expected = "a certificate for " + host,
            .fix = "tapal cert issue " + host};
  const bool is_in_time =
      look.home.now < facts.validity.not_after && look.home.now >= facts.validity.not_before;
  if (fact.is_trusted || !is_in_time) return {};  // time is tls.expiry's
  return {.seen = chain_problem(fact),
          .expected = "a chain to an authority that everybody knows",
          .fix = facts.self_signed ? "tapal cert issue " + host
                                   : "put the whole chain into fullchain.pem"};
}

const OwnCertificate* on_disk(const Home& home) {
  const auto found = std::ranges::find_if(home.certificates, [&](const OwnCertificate& one) {
    return crypto::covers(one.facts, home.host);
  });
  return found == home.certificates.end() ? nullptr : &*found;
}

}  // namespace

void check_starttls(Look& look) {
  const auto services = own_services(look);
  if (!services) return;
  for (const auto& service : *services) {
    if (!has_answered(service)) continue;
    const auto& fact = *service.fact;
    if (!fact.tls_version.empty()) {
      look.ok(service.text(), fact.tls_version);
      continue;
    }
    const bool is_offered = fact.offers_starttls || service.port.door == Door::submissions;
    look.error(
        service.text(),
        {.seen = is_offered ? "TLS fails: " + fact.tls_trouble : "STARTTLS is not offered",
         .expected = "TLS 1.2 or 1.3",
         .fix = is_offered ? "look into the log (journalctl -u tapal) while running this again"
                           : "get a certificate: tapal cert issue " + look.home.host});
  }
}

void check_certificates(Look& look) {
  const auto services = own_services(look);
  if (!services) return;
  for (const auto& service : *services) {
    const auto& fact = *service.fact;
    if (!has_answered(service) || !fact.certificate) continue;
    const auto advice = certificate_problem(look, fact);
    if (advice.seen.empty()) {
      look.ok(service.text(), fact.certificate->issuer);
    } else if (service.port.door == Door::relay) {
      // Between servers most take any certificate; those with MTA-STS do not.
      look.warn(service.text(), advice);
    } else {
      look.error(service.text(), advice);
    }
  }
}

void check_certificate_expiry(Look& look) {
  const auto services = own_services(look);
  if (!services) return;
  const auto now = look.home.now;
  for (const auto& service : *services) {
    if (!has_answered(service) || !service.fact->certificate) continue;
    const auto& [not_before, not_after] = service.fact->certificate->validity;
    const auto fix = "tapal cert renew " + look.home.host;
    if (now >= not_after) {
      look.error(service.text(),
                 {.seen = "it expired on " + text::rfc3339_day(not_after),
                  .expected = "a new one",
                  .fix = fix});
    } else if (now < not_before) {
      look.error(service.text(),
                 {.seen = "it holds from " + text::rfc3339_day(not_before) + " on",
                  .expected = "one that holds now",
                  .fix = "is this machine's clock right (timedatectl)?"});
    } else if (not_after - now < (not_after - not_before) / 4) {
      look.warn(service.text(),
                {.seen = "it expires on " + text::rfc3339_day(not_after) +
                         ", and was not renewed in time",
                 .expected = "a renewal when a third of its time is left",
                 .fix = fix});
    } else {
      look.ok(service.text(), "until " + text::rfc3339_day(not_after));
    }
  }
}

void check_served_is_disk(Look& look) {
  const auto services = own_services(look);
  if (!services) return;
  const auto* own = on_disk(look.home);
  if (own == nullptr) return;
  for (const auto& service : *services) {
    if (!has_answered(service) || !service.fact->certificate) continue;
    if (service.fact->certificate->sha256 == own->facts.sha256) {
      look.ok(service.text(), "the one in " + own->name);
      continue;
    }
    look.error(
        service.text(),
        {.seen = fmt::format("one that holds until {} is served; on the disk lies one until {}",
                             text::rfc3339_day(service.fact->certificate->validity.not_after),
                             text::rfc3339_day(own->facts.validity.not_after)),
         .expected = "the one on the disk",
         .fix = "systemctl reload tapal; when that does not help, another program answers there"});
  }
}

void check_renewal(Look& look) {
  if (!look.home.renewals)
    return look.info(look.home.host,
                     {.seen = "tapal does not renew the certificate itself",
                      .expected = "that somebody does",
                      .fix = "tapal cert issue " + look.home.host});
  for (const auto& renewal : *look.home.renewals) {
    if (!renewal.last_error.empty()) {
      look.error(renewal.name,
                 {.seen = "the last try failed: " + renewal.last_error,
                  .expected = "a certificate",
                  .fix = "tapal cert renew " + renewal.name});
    } else if (renewal.next) {
      look.ok(renewal.name, "on " + text::rfc3339_day(*renewal.next));
    } else {
      look.warn(renewal.name,
                {.seen = "no renewal is planned",
                 .expected = "a day",
                 .fix = "tapal cert renew " + renewal.name});
    }
  }
}

}  // namespace tapal::provision
