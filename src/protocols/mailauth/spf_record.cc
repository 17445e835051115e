#include "protocols/mailauth/spf_record.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "values/text/ascii.h"

namespace tapal::mailauth {
namespace {

constexpr std::string_view version = "v=spf1";
constexpr std::uint8_t v4_offset_bits = 96;  // IpAddress keeps IPv4 mapped

struct MechanismName {
  std::string_view name;
  SpfMechanism mechanism;
};
constexpr std::array mechanism_names = {
    MechanismName{"all", SpfMechanism::all},
    MechanismName{"include", SpfMechanism::include},
    MechanismName{"a", SpfMechanism::a},
    MechanismName{"mx", SpfMechanism::mx},
    MechanismName{"ptr", SpfMechanism::ptr},
    MechanismName{"ip4", SpfMechanism::ip4},
    MechanismName{"ip6", SpfMechanism::ip6},
    MechanismName{"exists", SpfMechanism::exists},
};

std::unexpected<Error> bad_term(std::string_view term, std::string_view why) {
  return fail(Code::invalid, fmt::format("\"{}\": {}", text::printable(term, 120), why));
}

std::optional<SpfVerdict> verdict_of_qualifier(char c) {
  switch (c) {
    case '+': return SpfVerdict::pass;
    case '-': return SpfVerdict::fail;
    case '~': return SpfVerdict::softfail;
    case '?': return SpfVerdict::neutral;
    default: return {};
  }
}

// The number behind a "/": no zeros in front.
std::optional<std::uint8_t> mask_of(std::string_view digits, std::uint8_t most) {
  const auto bits = text::to_number<std::uint8_t>(digits);
  const bool is_good = bits && *bits <= most && (digits.size() == 1 || digits.front() != '0');
  return is_good ? bits : std::nullopt;
}

// Takes "/NN" with `slashes` in front off the end of `text`; nothing where there is none.
std::optional<std::string_view> take_mask(std::string_view& text, std::string_view slashes) {
  const std::size_t last = text.find_last_not_of("0123456789");
  if (last == std::string_view::npos || last + 1 == text.size()) return {};
  const std::string_view before = text.substr(0, last + 1);
  if (!before.ends_with(slashes)) return {};
  const std::string_view digits = text.substr(last + 1);
  text = before.substr(0, before.size() - slashes.size());
  return digits;
}

// dual-cidr-length, taken off the end of `argument`.
bool read_masks(SpfTerm& term, std::string_view& argument) {
  if (const auto digits = take_mask(argument, "//")) {
    const auto bits = mask_of(*digits, 128);
    if (!bits) return false;
    term.ip6_bits = *bits;
  }
  if (const auto digits = take_mask(argument, "/")) {
    const auto bits = mask_of(*digits, 32);
    if (!bits) return false;
    term.ip4_bits = *bits;
  }
  return true;
}

// ip4-network and ip6-network, with their masks.
bool read_network(SpfTerm& term, std::string_view argument) {
  if (!argument.starts_with(':')) return false;
  argument.remove_prefix(1);
  const bool is_v4 = term.mechanism == SpfMechanism::ip4;
  const std::size_t slash = argument.find('/');
  if (slash != std::string_view::npos) {
    const auto bits = mask_of(argument.substr(slash + 1), is_v4 ? 32 : 128);
    if (!bits) return false;
    (is_v4 ? term.ip4_bits : term.ip6_bits) = *bits;
  }
  const std::string_view text = argument.substr(0, slash);
  const auto address = IpAddress::from_text(text);
  if (!address || text.contains(':') == is_v4) return false;
  term.address = *address;
  return true;
}

// `argument` is what follows the name, with its ":" or "/".
Result<void> read_argument(SpfTerm& term, std::string_view argument) {
  switch (term.mechanism) {
    case SpfMechanism::all:
      if (!argument.empty()) return bad_term(term.text, "all stands alone");
      return {};
    case SpfMechanism::ip4:
    case SpfMechanism::ip6:
      if (!read_network(term, argument)) return bad_term(term.text, "no such network can be");
      return {};
    case SpfMechanism::a:
    case SpfMechanism::mx:
      if (!read_masks(term, argument)) return bad_term(term.text, "no such mask can be");
      break;
    case SpfMechanism::include:
    case SpfMechanism::exists:
      if (argument.empty()) return bad_term(term.text, "a domain is missing");
      break;
    case SpfMechanism::ptr: break;
  }
  if (argument.empty()) return {};
  if (!argument.starts_with(':')) return bad_term(term.text, "no \":\" before the domain");
  auto target = SpfMacroText::parse(argument.substr(1), SpfMacroText::Use::domain);
  if (!target) return bad_term(term.text, target.error().what);
  term.target = *std::move(target);
  return {};
}

Result<SpfTerm> parse_directive(std::string_view text) {
  SpfTerm term;
  term.text = text;
  if (const auto verdict = verdict_of_qualifier(text.front())) {
    term.verdict = *verdict;
    text.remove_prefix(1);
  }
  const std::string_view name = text.substr(0, text.find_first_of(":/"));
  const auto known = std::ranges::find_if(mechanism_names, [name](const MechanismName& known_name) {
    return text::equals_ignoring_case(known_name.name, name);
  });
  if (known == mechanism_names.end()) return bad_term(term.text, "no such mechanism");
  term.mechanism = known->mechanism;
  TAPAL_CHECK(read_argument(term, text.substr(name.size())));
  return term;
}

bool is_modifier_name(std::string_view name) {
  return !name.empty() && text::is_alpha(name.front()) && std::ranges::all_of(name, [](char c) {
    return text::is_alnum(c) || c == '-' || c == '_' || c == '.';
  });
}

Result<void> read_modifier(SpfRecord& record, std::string_view text, std::size_t equals) {
  const std::string_view name = text.substr(0, equals);
  const std::string_view value = text.substr(equals + 1);
  if (!is_modifier_name(name)) return bad_term(text, "no modifier has such a name");
  std::optional<SpfMacroText>* known = nullptr;
  if (text::equals_ignoring_case(name, "redirect")) known = &record.redirect;
  if (text::equals_ignoring_case(name, "exp")) known = &record.explanation;
  if (known != nullptr && *known) return bad_term(text, "there twice");
  auto parsed = SpfMacroText::parse(
      value, known != nullptr ? SpfMacroText::Use::domain : SpfMacroText::Use::modifier);
  if (!parsed) return bad_term(text, parsed.error().what);
  if (known != nullptr) *known = *std::move(parsed);
  return {};
}

}  // namespace

std::string_view spf_verdict_text(SpfVerdict verdict) {
  switch (verdict) {
    case SpfVerdict::none: return "none";
    case SpfVerdict::neutral: return "neutral";
    case SpfVerdict::pass: return "pass";
    case SpfVerdict::fail: return "fail";
    case SpfVerdict::softfail: return "softfail";
    case SpfVerdict::temperror: return "temperror";
    case SpfVerdict::permerror: return "permerror";
  }
  return "permerror";
}

bool SpfTerm::covers(const IpAddress& center, const IpAddress& client) const {
  if (mechanism == SpfMechanism::ip6 && client.is_v4()) return false;  // mapped ones, too
  const auto bits =
      client.is_v4() ? static_cast<std::uint8_t>(ip4_bits + v4_offset_bits) : ip6_bits;
  return IpNetwork{center, bits}.contains(client);
}

bool SpfTerm::asks_dns() const {
  return mechanism != SpfMechanism::all && mechanism != SpfMechanism::ip4 &&
         mechanism != SpfMechanism::ip6;
}

bool SpfRecord::has_version(std::string_view text) {
  return text::starts_with_ignoring_case(text, version) &&
         (text.size() == version.size() || text[version.size()] == ' ');
}

Result<SpfRecord> SpfRecord::parse(std::string_view text) {
  if (!has_version(text)) return fail(Code::invalid, "not an SPF record");
  SpfRecord record;
  for (const std::string_view term : text::split(text.substr(version.size()), ' ')) {
    if (term.empty()) continue;
    // The first of these tells a modifier from a directive.
    const std::size_t mark = term.find_first_of("=:/");
    if (mark != std::string_view::npos && term[mark] == '=') {
      TAPAL_CHECK(read_modifier(record, term, mark));
    } else {
      TAPAL_TRY(auto directive, parse_directive(term));
      record.terms.push_back(std::move(directive));
    }
  }
  return record;
}

}  // namespace tapal::mailauth
