#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "protocols/mailauth/authentication_results.h"
#include "protocols/mailauth/domain_name.h"
#include "values/mail/grammar.h"
#include "values/text/ascii.h"

namespace tapal::mailauth {
namespace {

// Takes the field apart from its front.
class Scanner {
 public:
  Scanner(std::string_view text, std::size_t depth_max) : text_(text), depth_max_(depth_max) {}

  bool at_end() const { return at_ == text_.size(); }
  // White space, line ends and comments. False: a comment has no end or is too deep.
  bool skip_space();
  bool take(char c);
  std::string keyword();  // letters, digits, "-", "_"; lower case; may be empty
  // A quoted string, or everything up to white space, ";" or "(". Nothing: a quote has no end.
  std::optional<std::string> value();
  void skip_result();  // up to the next ";" outside of quotes and comments

 private:
  bool skip_comment();
  std::optional<std::string> quoted_string();

  std::string_view text_;
  std::size_t depth_max_;
  std::size_t at_ = 0;
};

bool Scanner::skip_comment() {
  std::size_t depth = 0;
  for (; !at_end(); ++at_) {
    const char c = text_[at_];
    if (c == '\\') {
      if (++at_ == text_.size()) return false;
    } else if (c == '(') {
      if (++depth > depth_max_) return false;
    } else if (c == ')' && --depth == 0) {
      ++at_;
      return true;
    }
  }
  return false;
}

bool Scanner::skip_space() {
  while (!at_end()) {
    if (text_[at_] == '(') {
      if (!skip_comment()) return false;
    } else if (text::is_white_space(text_[at_])) {
      ++at_;
    } else {
      break;
    }
  }
  return true;
}

bool Scanner::take(char c) {
  if (at_end() || text_[at_] != c) return false;
  ++at_;
  return true;
}

std::string Scanner::keyword() {
  const std::size_t begin = at_;
  while (!at_end() && (text::is_alnum(text_[at_]) || std::string_view("-_").contains(text_[at_])))
    ++at_;
  return text::to_lower(text_.substr(begin, at_ - begin));
}

std::optional<std::string> Scanner::quoted_string() {
  std::string value;
  for (++at_; !at_end(); ++at_) {
    char c = text_[at_];
    if (c == '"') {
      ++at_;
      return value;
    }
    if (c == '\r' || c == '\n') continue;  // a fold
    if (c == '\\' && at_ + 1 < text_.size()) c = text_[++at_];
    value += c;
  }
  return {};
}

std::optional<std::string> Scanner::value() {
  if (!at_end() && text_[at_] == '"') {
    auto quoted = quoted_string();
    // "john doe"@example.com: a local part in quotes.
    if (!quoted || at_end() || text_[at_] != '@') return quoted;
    const std::size_t begin = at_;
    while (!at_end() && !text::is_white_space(text_[at_]) && text_[at_] != ';') ++at_;
    return mail::quote(*quoted) + std::string(text_.substr(begin, at_ - begin));
  }
  const std::size_t begin = at_;
  while (!at_end() && !text::is_white_space(text_[at_]) &&
         !std::string_view(";(").contains(text_[at_]))
    ++at_;
  return std::string(text_.substr(begin, at_ - begin));
}

void Scanner::skip_result() {
  while (!at_end() && text_[at_] != ';') {
    if (text_[at_] == '"') {
      if (!quoted_string()) return;
    } else if (text_[at_] == '(') {
      if (!skip_comment()) return;
    } else {
      ++at_;
    }
  }
}

// What follows a result: reason=, properties; others' inventions ("action=none") are passed over.
bool read_detail(Scanner& scanner, AuthMethod& method, std::size_t properties_max) {
  const std::string name = scanner.keyword();
  if (name.empty() || !scanner.skip_space()) return false;
  std::string property;
  const bool is_property = scanner.take('.');
  if (is_property) {
    if (!scanner.skip_space()) return false;
    property = scanner.keyword();
    if (property.empty() || !scanner.skip_space()) return false;
  }
  if (!scanner.take('=') || !scanner.skip_space()) return false;
  auto value = scanner.value();
  if (!value) return false;
  if (is_property) {
    if (!value->empty() && method.properties.size() < properties_max)
      method.properties.push_back({name, std::move(property), *std::move(value)});
  } else if (name == "reason") {
    method.reason = *std::move(value);
  }
  return true;
}

// Nothing: "none", or what makes no sense.
std::optional<AuthMethod> read_method(Scanner& scanner, std::size_t properties_max) {
  AuthMethod method;
  if (!scanner.skip_space()) return {};
  method.method = scanner.keyword();
  if (method.method.empty() || !scanner.skip_space()) return {};
  if (scanner.take('/')) {
    if (!scanner.skip_space() || scanner.keyword() != "1" || !scanner.skip_space()) return {};
  }
  if (!scanner.take('=') || !scanner.skip_space()) return {};
  method.result = scanner.keyword();
  if (method.result.empty()) return {};
  while (scanner.skip_space() && read_detail(scanner, method, properties_max)) {
  }
  return method;
}

// The authserv-id as the most generous reader would take it.
std::string comparable_id(std::string_view id) {
  const auto end = std::ranges::find_if(
      id, [](char c) { return !mail::is_token_char(c) && mail::is_ascii_char(c); });
  id = id.substr(0, static_cast<std::size_t>(end - id.begin()));
  if (id.ends_with('.')) id.remove_suffix(1);
  const auto name = comparable_name(id);
  return name ? *name : text::to_lower(id);
}

}  // namespace

Result<AuthenticationResults> parse_authentication_results(
    std::string_view field_body, const AuthenticationResultsLimits& limits) {
  if (field_body.size() > limits.bytes_max)
    return fail(Code::invalid, fmt::format("more than {} bytes", limits.bytes_max));
  Scanner scanner(field_body, limits.comment_depth_max);
  AuthenticationResults results;
  auto id = scanner.skip_space() ? scanner.value() : std::nullopt;
  if (!id || id->empty()) return fail(Code::invalid, "no authserv-id");
  results.authserv_id = *std::move(id);
  if (!scanner.skip_space()) return fail(Code::invalid, "a comment without an end");
  const std::string version = scanner.keyword();
  if (!version.empty() && version != "1")
    return fail(Code::invalid, fmt::format("unknown version {}", text::printable(version, 40)));
  for (scanner.skip_result(); scanner.take(';'); scanner.skip_result()) {
    auto method = read_method(scanner, limits.properties_max);
    if (method && results.methods.size() < limits.methods_max)
      results.methods.push_back(*std::move(method));
  }
  return results;
}

bool is_ours(std::string_view field_body, std::string_view authserv_id) {
  Scanner scanner(field_body, AuthenticationResultsLimits{}.comment_depth_max);
  const auto id = scanner.skip_space() ? scanner.value() : std::nullopt;
  if (!id) return true;
  const std::string theirs = comparable_id(*id);
  return theirs.empty() || theirs == comparable_id(authserv_id);
}

}  // namespace tapal::mailauth
