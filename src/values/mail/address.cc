#include "values/mail/address.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/ip_address.h"
#include "values/mail/grammar.h"
#include "values/text/ascii.h"
#include "values/text/idna.h"
#include "values/text/utf8.h"

namespace tapal::mail {

namespace {

// RFC 5321 section 4.5.3.1, in octets.
constexpr std::size_t local_bytes_max = 64;
constexpr std::size_t address_bytes_max = 254;  // a path of 256 less its brackets
// Nothing longer can become an address, however it is quoted or encoded.
constexpr std::size_t input_bytes_max = 2048;

std::unexpected<Error> wrong_address(std::string_view text, std::string_view what) {
  return fail(Code::invalid,
              fmt::format("\"{}\" is no mail address: {}", text::printable(text, 300), what));
}

// RFC 5321 section 4.1.3; general literals have no registered use.
std::optional<std::string> normal_literal(std::string_view domain) {
  if (!domain.ends_with(']')) return {};
  std::string_view inside = domain.substr(1, domain.size() - 2);
  constexpr std::string_view tag = "IPv6:";
  const bool is_v6 = text::starts_with_ignoring_case(inside, tag);
  if (is_v6) inside.remove_prefix(tag.size());
  if (inside.contains(':') != is_v6) return {};
  const auto address = IpAddress::from_text(inside);
  if (!address) return {};
  return address->smtp_literal();
}

Result<std::string> normal_domain(std::string_view domain) {
  if (domain.starts_with('[')) {
    auto literal = normal_literal(domain);
    if (!literal) {
      return fail(Code::invalid, "the address literal is not as in RFC 5321 section 4.1.3");
    }
    return *std::move(literal);
  }
  if (domain.ends_with('.')) return fail(Code::invalid, "the domain ends with a dot");
  return text::domain_to_ascii(domain);
}

// Reads a quoted string from its quote on; what it says, and how many bytes it took. Nothing when
// it is not closed or has what RFC 5321 section 4.1.2 does not allow.
struct Quoted {
  std::string value;
  std::size_t bytes = 0;
};
std::optional<Quoted> read_quoted(std::string_view text) {
  Quoted quoted;
  for (std::size_t i = 1; i < text.size(); ++i) {
    char c = text[i];
    if (c == '"') {
      quoted.bytes = i + 1;
      return quoted;
    }
    if (c == '\\') {
      if (++i == text.size() || !is_ascii_char(text[i])) return {};
      c = text[i];
    }
    if (is_control_char(c)) return {};
    quoted.value += c;
  }
  return {};
}

// "@a,@b:" in front of an address means nothing any more (RFC 5321 appendix F.2).
Result<std::string_view> without_route(std::string_view inside) {
  if (!inside.starts_with('@')) return inside;
  const std::string_view whole = inside;
  while (inside.starts_with('@')) {
    const std::size_t host_end = inside.starts_with("@[") ? inside.find(']') : 0;
    const std::size_t end = inside.find_first_of(",:", std::min(host_end, inside.size()));
    if (end == std::string_view::npos) break;
    if (!normal_domain(inside.substr(1, end - 1))) break;
    const bool is_last = inside[end] == ':';
    inside.remove_prefix(end + 1);
    if (is_last) return inside;
  }
  return wrong_address(whole, "its source route is malformed");
}

// Where the bracket that closes a path stands; quotes may hide one.
std::size_t closing_bracket(std::string_view text) {
  bool in_quotes = false;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '\\' && in_quotes) {
      ++i;
    } else if (text[i] == '"') {
      in_quotes = !in_quotes;
    } else if (text[i] == '>' && !in_quotes) {
      return i;
    }
  }
  return std::string_view::npos;
}

}  // namespace

std::string Address::text() const {
  return is_dot_atom(local) ? fmt::format("{}@{}", local, domain)
                            : fmt::format("{}@{}", quote(local), domain);
}

bool Address::is_ascii() const { return text::is_ascii(local); }

std::string Address::key() const { return fmt::format("{}@{}", text::case_fold(local), domain); }

Result<Address> make_address(std::string_view local, std::string_view domain) {
  const std::string whole = fmt::format("{}@{}", text::printable(local, 200), domain);
  if (local.size() > input_bytes_max)
    return wrong_address(whole, "the part before the @ is too long");
  auto normal = text::to_nfc(local);
  if (!normal) return wrong_address(whole, "it is not valid UTF-8");
  if (has_control(*normal)) return wrong_address(whole, "it has control characters");
  const std::size_t local_bytes = is_dot_atom(*normal) ? normal->size() : quote(*normal).size();
  if (local_bytes > local_bytes_max) {
    return wrong_address(whole, "the part before the @ has more than 64 octets");
  }
  auto checked = normal_domain(domain);
  if (!checked) return wrong_address(whole, checked.error().what);
  if (local_bytes + 1 + checked->size() > address_bytes_max) {
    return wrong_address(whole, "it has more than 254 octets");
  }
  return Address{*std::move(normal), *std::move(checked)};
}

Result<Address> parse_address(std::string_view text) {
  if (text.size() > input_bytes_max) return wrong_address(text, "it is too long");
  std::string local;
  std::size_t at = 0;
  if (text.starts_with('"')) {
    auto quoted = read_quoted(text);
    if (!quoted) return wrong_address(text, "its quoted part is malformed");
    local = std::move(quoted->value);
    at = quoted->bytes;
  } else {
    at = std::min(text.find('@'), text.size());
    local = text.substr(0, at);
    if (at < text.size() && !is_dot_atom(local)) {
      return wrong_address(text,
                           local.empty() ? "the part before the @ is missing"
                                         : "the part before the @ has to be quoted");
    }
  }
  if (at == text.size()) return wrong_address(text, "it has no domain");
  if (text[at] != '@') return wrong_address(text, "something stands between the quotes and the @");
  return make_address(local, text.substr(at + 1));
}

Result<Path> parse_path(std::string_view text, std::string_view postmaster_domain) {
  if (!text.starts_with('<')) return fail(Code::invalid, "the path must begin with <");
  const std::size_t end = closing_bracket(text);
  if (end == std::string_view::npos) return fail(Code::invalid, "the path is not closed with >");
  Path path;
  path.rest = text.substr(end + 1);
  if (!path.rest.empty() && path.rest.front() != ' ') {
    return fail(Code::invalid, "there must be a space after the path");
  }
  while (path.rest.starts_with(' ')) path.rest.remove_prefix(1);
  std::string_view inside = text.substr(1, end - 1);
  if (inside.empty()) return path;
  TAPAL_TRY(inside, without_route(inside));
  if (!postmaster_domain.empty() && text::equals_ignoring_case(inside, "postmaster")) {
    TAPAL_TRY(path.address, make_address("postmaster", postmaster_domain));
    return path;
  }
  TAPAL_TRY(path.address, parse_address(inside));
  return path;
}

}  // namespace tapal::mail
