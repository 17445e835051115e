#include "protocols/acme/caa.h"

#include <algorithm>

#include <fmt/format.h>

#include "values/dns/name.h"
#include "values/text/ascii.h"

namespace tapal::acme {
namespace {

constexpr std::uint8_t critical = 0x80;  // RFC 8659 section 4.1.1

struct Parameters {
  std::string account;
  std::string methods;
};

// "accounturi=...; validationmethods=a,b" (RFC 8657). Nothing where it is not of that form: such a
// property allows nobody (RFC 8659 section 4.2).
std::optional<Parameters> parameters_of(const std::vector<std::string_view>& parts) {
  Parameters parameters;
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const auto part = text::trim(parts[i]);
    if (part.empty() && i + 1 == parts.size()) break;
    const auto equals = part.find('=');
    if (equals == part.npos || equals == 0) return {};
    const auto tag = text::to_lower(text::trim(part.substr(0, equals)));
    auto* into = tag == "accounturi"          ? &parameters.account
                 : tag == "validationmethods" ? &parameters.methods
                                              : nullptr;
    if (into == nullptr) continue;
    if (!into->empty()) return {};  // twice
    *into = text::trim(part.substr(equals + 1));
    if (into->empty()) return {};
  }
  return parameters;
}

}  // namespace

CaaCheck::CaaCheck(CaaQuestion question) : question_(std::move(question)) {
  is_wildcard_ = question_.name.starts_with("*.");
  if (!question_.issuer_names.empty() && !IpAddress::from_text(question_.name))
    at_ = question_.name.substr(is_wildcard_ ? 2 : 0);
}

std::optional<dns::Lookup> CaaCheck::next_lookup() const {
  if (at_.empty()) return {};
  return dns::Lookup{at_, dns::Type::caa};
}

void CaaCheck::on_reply(const dns::LookupReply& reply) {
  using Status = dns::LookupReply::Status;
  if (reply.status == Status::failed || reply.status == Status::impossible) {
    at_.clear();
    return;
  }
  std::vector<dns::Authorization> properties;
  for (const auto& record : reply.records) {
    auto property = dns::authorization_from_data(record.data);
    if (!property) continue;
    property->tag = text::to_lower(property->tag);
    properties.push_back(*std::move(property));
  }
  if (properties.empty()) {
    at_ = dns::parent_of(at_);
    return;
  }
  judge(properties);
  at_.clear();
}

void CaaCheck::judge(const std::vector<dns::Authorization>& properties) {
  const auto has = [&properties](std::string_view tag) {
    return std::ranges::find(properties, tag, &dns::Authorization::tag) != properties.end();
  };
  const std::string_view tag = is_wildcard_ && has("issuewild") ? "issuewild" : "issue";
  constexpr std::array<std::string_view, 6> known{
      "issue", "issuewild", "iodef", "contactemail", "contactphone", "issuemail"};
  for (const auto& property : properties)
    if ((property.flags & critical) != 0 && std::ranges::find(known, property.tag) == known.end())
      objection_ = fmt::format("{} has a critical CAA property that nobody knows: {}; take it away",
                               at_,
                               text::printable(property.tag, 50));
  const auto is_grant = [&](const dns::Authorization& property) {
    return property.tag == tag && allows(property.value);
  };
  if (!objection_.empty() || !has(tag) || std::ranges::any_of(properties, is_grant)) return;
  objection_ = fmt::format(
      "the CAA records of {} do not let this authority issue for {}; add: {}. CAA 0 {} \"{}\"",
      at_,
      question_.name,
      at_,
      tag,
      question_.issuer_names.front());
}

bool CaaCheck::allows(const std::string& value) const {
  const auto parts = text::split(value, ';');
  const auto issuer = text::trim(parts.front());
  const auto is_it = [issuer](const std::string& name) {
    return text::equals_ignoring_case(name, issuer);
  };
  if (std::ranges::none_of(question_.issuer_names, is_it)) return false;
  const auto parameters = parameters_of(parts);
  if (!parameters) return false;
  if (!parameters->account.empty() && !question_.account_url.empty() &&
      parameters->account != question_.account_url)
    return false;
  if (parameters->methods.empty()) return true;
  const auto methods = text::split(parameters->methods, ',');
  return std::ranges::any_of(question_.kinds, [&methods](ChallengeKind kind) {
    return std::ranges::any_of(methods, [kind](std::string_view method) {
      return text::trim(method) == challenge_kind_text(kind);
    });
  });
}

}  // namespace tapal::acme
