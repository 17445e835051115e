#include "protocols/mailauth/spf_macro.h"

#include <algorithm>
#include <ranges>
#include <utility>

#include <fmt/format.h>

#include "values/dns/name.h"
#include "values/text/ascii.h"
#include "values/text/idna.h"

namespace tapal::mailauth {
namespace {

constexpr std::string_view letters = "slodiphv";
constexpr std::string_view explanation_letters = "crt";  // RFC 7208 section 7.2
constexpr std::string_view delimiter_characters = ".-+,/_=";
constexpr std::string_view unknown = "unknown";
constexpr std::size_t parts_known_max = 1000;  // RFC 7208 section 7.3: 127 at least

bool is_unreserved(char c) { return text::is_alnum(c) || std::string_view("-._~").contains(c); }

// RFC 3986 section 2.1.
std::string url_escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (is_unreserved(c))
      out += c;
    else
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

// IPv4 as always, IPv6 as nibbles with dots between. In capitals, as RFC 4408's examples had them
// and others still write them into explanations; DNS does not care.
std::string dotted(const IpAddress& ip) {
  if (ip.is_v4()) return ip.text();
  std::string out;
  for (const unsigned byte : ip.bytes) out += fmt::format("{:X}.{:X}.", byte >> 4, byte & 15);
  out.pop_back();
  return out;
}

std::string or_unknown(const std::string& name) {
  return name.empty() ? std::string(unknown) : name;
}

std::string value_of(char letter, const SpfMacroValues& values) {
  switch (letter) {
    case 's': return values.local_part + "@" + values.sender_domain;
    case 'l': return values.local_part;
    case 'o': return values.sender_domain;
    case 'd': return values.domain;
    case 'i': return dotted(values.ip);
    case 'c': return values.ip.text();
    case 'v': return values.ip.is_v4() ? "in-addr" : "ip6";
    case 'h': return values.helo;
    case 'p': return or_unknown(values.client_name);
    case 'r': return or_unknown(values.host_name);
    case 't':
      return fmt::to_string(
          std::chrono::floor<std::chrono::seconds>(values.now).time_since_epoch().count());
    default: return {};
  }
}

std::vector<std::string_view> split_at_any(std::string_view text, std::string_view delimiters) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t end = text.find_first_of(delimiters);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

// toplabel of RFC 7208 section 7.1: not all digits, hyphens inside only.
bool is_top_label(std::string_view label) {
  return !label.empty() && text::is_alnum(label.front()) && text::is_alnum(label.back()) &&
         std::ranges::all_of(label, [](char c) { return text::is_alnum(c) || c == '-'; }) &&
         !std::ranges::all_of(label, text::is_digit);
}

// The literal text at the end of a domain-spec.
bool ends_in_top_label(std::string_view literal) {
  if (literal.ends_with('.')) literal.remove_suffix(1);
  const std::size_t dot = literal.rfind('.');
  return dot != std::string_view::npos && is_top_label(literal.substr(dot + 1));
}

std::unexpected<Error> bad_macro(std::string_view macro) {
  return fail(Code::invalid,
              fmt::format("\"{}\" is no macro", text::printable(macro.substr(0, 20))));
}

}  // namespace

void SpfMacroText::add_literal(char c) {
  if (pieces_.empty() || pieces_.back().letter != 0) pieces_.emplace_back();
  pieces_.back().literal += c;
}

// `body` is what is between the braces: letter, digits, "r", delimiters.
Result<SpfMacroText::Piece> SpfMacroText::parse_macro(std::string_view body) {
  Piece piece;
  if (body.empty()) return bad_macro("%{}");
  piece.letter = text::to_lower(body.front());
  piece.escapes = piece.letter != body.front();
  const auto digits_end = std::ranges::find_if_not(body.substr(1), text::is_digit);
  std::string_view digits(body.begin() + 1, digits_end);
  std::string_view rest(digits_end, body.end());
  if (!digits.empty()) {
    digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size()));
    if (digits.empty()) return fail(Code::invalid, "a macro that keeps 0 parts");
    piece.parts_max = text::to_number<std::size_t>(digits).value_or(parts_known_max);
  }
  if (!rest.empty() && text::to_lower(rest.front()) == 'r') {
    piece.reverses = true;
    rest.remove_prefix(1);
  }
  if (rest.find_first_not_of(delimiter_characters) != std::string_view::npos)
    return bad_macro(fmt::format("%{{{}}}", body));
  piece.delimiters = rest;
  return piece;
}

// One character off the front of `rest`.
Result<void> SpfMacroText::take_literal(std::string_view& rest, Use use) {
  const char c = rest.front();
  const bool is_visible = c > ' ' && c < '\x7f';
  if (!is_visible && !(c == ' ' && use == Use::explanation))
    return fail(Code::invalid,
                fmt::format("byte 0x{:02x} in a macro string", static_cast<unsigned char>(c)));
  add_literal(c);
  rest.remove_prefix(1);
  return {};
}

// One macro-expand off the front of `rest`, which begins with "%".
Result<void> SpfMacroText::take_macro(std::string_view& rest, Use use) {
  static constexpr std::pair<std::string_view, std::string_view> escapes[] = {
      {"%%", "%"}, {"%_", " "}, {"%-", "%20"}};
  for (const auto& [written, meant] : escapes) {
    if (!rest.starts_with(written)) continue;
    for (const char c : meant) add_literal(c);
    rest.remove_prefix(written.size());
    return {};
  }
  const std::size_t end = rest.find('}');
  if (!rest.starts_with("%{") || end == std::string_view::npos) return bad_macro(rest);
  TAPAL_TRY(auto piece, parse_macro(rest.substr(2, end - 2)));
  const bool is_known = letters.contains(piece.letter) ||
                        (use == Use::explanation && explanation_letters.contains(piece.letter));
  if (!is_known) return bad_macro(rest.substr(0, end + 1));
  pieces_.push_back(std::move(piece));
  rest.remove_prefix(end + 1);
  return {};
}

Result<SpfMacroText> SpfMacroText::parse(std::string_view text, Use use) {
  SpfMacroText macro;
  bool ends_in_macro = false;
  for (std::string_view rest = text; !rest.empty();) {
    ends_in_macro = rest.front() == '%';
    TAPAL_CHECK(ends_in_macro ? macro.take_macro(rest, use) : macro.take_literal(rest, use));
  }
  if (use == Use::domain && !ends_in_macro &&
      (macro.pieces_.empty() || !ends_in_top_label(macro.pieces_.back().literal)))
    return fail(Code::invalid, fmt::format("\"{}\" is no domain name", text::printable(text, 80)));
  return macro;
}

bool SpfMacroText::uses(char letter) const {
  return std::ranges::find(pieces_, letter, &Piece::letter) != pieces_.end();
}

std::string SpfMacroText::expand_piece(const Piece& piece, const SpfMacroValues& values) {
  if (piece.letter == 0) return piece.literal;
  std::string value = value_of(piece.letter, values);
  if (piece.reverses || piece.parts_max > 0 || !piece.delimiters.empty()) {
    auto parts = split_at_any(value, piece.delimiters.empty() ? "." : piece.delimiters);
    if (piece.reverses) std::ranges::reverse(parts);
    if (piece.parts_max > 0 && parts.size() > piece.parts_max)
      parts.erase(parts.begin(), parts.end() - static_cast<std::ptrdiff_t>(piece.parts_max));
    value = fmt::format("{}", fmt::join(parts, "."));
  }
  return piece.escapes ? url_escaped(value) : value;
}

std::optional<std::string> SpfMacroText::expand(const SpfMacroValues& values,
                                                std::size_t bytes_max) const {
  std::string out;
  for (const Piece& piece : pieces_) {
    out += expand_piece(piece, values);
    if (out.size() > bytes_max) return {};
  }
  return out;
}

std::string SpfMacroText::expand_domain(const SpfMacroValues& values) const {
  // From the end, as far as it can matter: what is further left is cut away.
  std::vector<std::string> parts;
  std::size_t bytes = 0;
  for (const Piece& piece : std::views::reverse(pieces_)) {
    parts.push_back(expand_piece(piece, values));
    bytes += parts.back().size();
    if (bytes > text::domain_bytes_max + 1) break;
  }
  std::string name;
  for (const std::string& part : std::views::reverse(parts)) name += part;
  if (name.ends_with('.')) name.pop_back();
  if (name.size() <= text::domain_bytes_max) return name;
  // The first dot that leaves few enough bytes behind it.
  const std::size_t dot = name.find('.', name.size() - text::domain_bytes_max - 1);
  return dot == std::string::npos ? name : name.substr(dot + 1);
}

std::string spf_client_name(std::span<const std::string> names, std::string_view domain) {
  if (names.empty()) return {};
  const auto own = dns_name_of(domain);
  if (!own) return names.front();
  if (std::ranges::find(names, *own) != names.end()) return *own;
  const auto below = std::ranges::find_if(
      names, [&own](const std::string& name) { return dns::is_subdomain_of(name, *own); });
  return below == names.end() ? names.front() : *below;
}

std::optional<std::string> dns_name_of(std::string_view text) {
  std::string escaped;
  if (!text::is_ascii(text) || text.ends_with('.')) return {};
  for (const char c : text) {
    if (c == '\\')
      escaped += "\\\\";
    else if (c <= ' ' || c == '\x7f')
      escaped += fmt::format("\\{:03}", static_cast<unsigned char>(c));
    else
      escaped += c;
  }
  auto name = dns::parse_name(escaped);
  if (!name || name->empty()) return {};
  return *std::move(name);
}

}  // namespace tapal::mailauth
