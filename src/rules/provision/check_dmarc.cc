// DMARC: the policy, and whether reports about it arrive.
#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "protocols/mailauth/dmarc_check.h"
#include "protocols/mailauth/domain_name.h"
#include "rules/provision/checks.h"
#include "values/mail/address.h"
#include "values/text/ascii.h"

namespace tapal::provision {
namespace {

using mailauth::DmarcPolicy;

// As a receiver of mail from the domain finds it.
std::optional<mailauth::DmarcResult> policy_of(Look& look) {
  mailauth::DmarcQuestion question;
  question.author.domains = {look.home.domain};
  mailauth::DmarcCheck check(std::move(question), &look.suffixes);
  if (!look.drive(check)) return {};
  return check.result();
}

std::string wanted_dmarc(const Look& look) {
  return fmt::format("v=DMARC1; p=none; rua=mailto:dmarc@{}", look.home.domain);
}

std::string at_name(const Look& look) { return "_dmarc." + look.home.domain; }

// The address of a mailto: URI, percent signs not decoded: reports to such go astray anyway.
std::optional<mail::Address> mail_address(std::string_view uri) {
  if (!text::starts_with_ignoring_case(uri, "mailto:")) return {};
  uri.remove_prefix(7);
  auto address = mail::parse_address(uri.substr(0, uri.find('?')));
  if (!address) return {};
  return *std::move(address);
}

bool is_own(const Look& look, const std::string& domain) {
  return std::ranges::find(look.home.own_domains, domain) != look.home.own_domains.end();
}

void look_at_own(Look& look, const mail::Address& address) {
  const auto end = look.home.where_goes(address.text());
  if (end.way == Delivery::Way::delivered || end.way == Delivery::Way::elsewhere)
    return look.ok(address.text(), end.text);
  Advice advice{.seen = "reports would be refused: " + end.text,
                .expected = "an address that takes mail",
                .fix = fmt::format("tapal alias add {} {}",
                                   address.text(),
                                   look.home.first_user.empty() ? "USER" : look.home.first_user)};
  if (!look.home.first_user.empty())
    advice.repair = Repair{Repair::Kind::add_alias, address.text(), look.home.first_user};
  look.error(address.text(), advice);
}

// Reports to another organization need its consent (RFC 9990).
void look_at_foreign(Look& look, const mail::Address& address) {
  const auto name = fmt::format("{}._report._dmarc.{}", look.home.domain, address.domain);
  const auto* consent = look.dns(name, dns::Type::txt);
  if (consent == nullptr) return;
  if (!texts_beginning(*consent, "v=DMARC1").empty())
    return look.ok(address.text(), address.domain + " wants them");
  if (has_failed(*consent)) return look.cannot_tell(address.text(), "TXT " + name);
  look.warn(
      address.text(),
      {.seen = "it is at another organization, which does not say that it wants the reports",
       .expected = fmt::format("at {}: v=DMARC1 (RFC 9990)", name),
       .fix = fmt::format("publish there: {}. 3600 IN TXT \"v=DMARC1\"\nor have reports sent to "
                          "dmarc@{}",
                          name,
                          look.home.domain)});
}

void look_at_address(Look& look, const std::string& uri) {
  const auto address = mail_address(uri);
  if (!address) return;
  if (is_own(look, address->domain)) return look_at_own(look, *address);
  const auto ours = look.suffixes.registrable(look.home.domain);
  if (ours && look.suffixes.registrable(address->domain) == ours)
    return look.ok(address->text(), "of the same organization");
  look_at_foreign(look, *address);
}

}  // namespace

void check_dmarc_record(Look& look) {
  const auto name = at_name(look);
  const auto* fact = look.dns(name, dns::Type::txt);
  const auto result = policy_of(look);
  if (fact == nullptr || !result) return;
  if (has_failed(*fact)) return look.cannot_tell(name, "TXT " + name);
  const auto records = texts_beginning(*fact, "v=DMARC1");
  const auto fix = publish_text(look, name, wanted_dmarc(look));
  if (records.size() > 1)
    return look.error(
        name,
        {.seen = fmt::format("{} records: none counts (RFC 9989 section 4.10)", records.size()),
         .expected = "one",
         .fix = "remove all but one"});
  if (!result->record)
    return look.error(name,
                      {.seen = "no DMARC record", .expected = wanted_dmarc(look), .fix = fix});
  if (!result->record->notes.empty())
    return look.warn(name,
                     {.seen = fmt::format("{}", fmt::join(result->record->notes, "; ")),
                      .expected = "a record without faults",
                      .fix = "mend: " + text::printable(result->record_text)});
  look.ok(name, text::printable(result->record_text));
}

void check_dmarc_policy(Look& look) {
  const auto result = policy_of(look);
  if (!result || !result->record) return;
  const auto name = at_name(look);
  const auto& record = *result->record;
  if (record.testing)
    return look.info(name,
                     {.seen = "t=y: the policy is applied one step milder than it says",
                      .expected = "no t=y once reports show that all own mail passes",
                      .fix = fmt::format("tapal dmarc advance {}", look.home.domain)});
  if (result->policy != DmarcPolicy::none)
    return look.ok(name, fmt::format("p={}", mailauth::dmarc_policy_text(result->policy)));
  Advice advice{.seen = "p=none: forged mail is only reported",
                .expected = "p=quarantine, once reports show that all own mail passes",
                .fix = fmt::format("tapal dmarc advance {}", look.home.domain)};
  if (record.aggregate_reports_to.empty())
    look.warn(name, advice);
  else
    look.info(name, advice);
}

void check_dmarc_reports(Look& look) {
  const auto result = policy_of(look);
  if (!result || !result->record) return;
  constexpr std::size_t report_addresses_max = 10;
  const auto& addresses = result->record->aggregate_reports_to;
  if (addresses.empty())
    return look.warn(at_name(look),
                     {.seen = "no rua=: nobody tells you who sends in your name",
                      .expected = "rua=mailto:dmarc@" + look.home.domain,
                      .fix = publish_text(look, at_name(look), wanted_dmarc(look))});
  for (std::size_t i = 0; i < std::min(addresses.size(), report_addresses_max); ++i)
    look_at_address(look, addresses[i]);
}

}  // namespace tapal::provision
