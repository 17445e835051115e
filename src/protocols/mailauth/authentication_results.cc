#include "protocols/mailauth/authentication_results.h"

#include <algorithm>

#include <fmt/format.h>

#include "values/mail/grammar.h"
#include "values/text/ascii.h"

namespace tapal::mailauth {
namespace {

constexpr std::size_t line_bytes_wanted = 78;  // RFC 5322 section 2.1.1; the last may be ";"

bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, mail::is_token_char);
}

// pvalue also takes an address as it is, its local part may be missing (section 2.2).
bool is_plain_address(std::string_view text) {
  const std::size_t at = text.find('@');
  return at != std::string_view::npos && is_token(text.substr(at + 1)) &&
         (at == 0 || mail::is_dot_atom(text.substr(0, at))) && text::is_ascii(text);
}

std::string without_controls(std::string_view text) {
  std::string clean(text);
  std::ranges::replace_if(clean, mail::is_control_char, '?');
  return clean;
}

std::string value_text(std::string_view value) {
  return is_token(value) ? std::string(value) : mail::quote(without_controls(value));
}

std::string property_text(const AuthProperty& property) {
  const std::string value = without_controls(property.value);
  return fmt::format("{}.{}={}",
                     property.type,
                     property.name,
                     is_plain_address(value) ? value : value_text(value));
}

std::string comment_text(std::string_view comment) {
  std::string escaped;
  for (const char c : without_controls(comment)) {
    if (std::string_view("()\\").contains(c)) escaped += '\\';
    escaped += c;
  }
  return "(" + escaped + ")";
}

std::vector<std::string> words_of(const AuthMethod& method) {
  std::vector<std::string> words = {fmt::format("{}={}", method.method, method.result)};
  if (!method.comment.empty()) words.push_back(comment_text(method.comment));
  if (!method.reason.empty()) words.push_back("reason=" + value_text(method.reason));
  for (const AuthProperty& property : method.properties)
    if (!property.value.empty()) words.push_back(property_text(property));
  return words;
}

// Each method begins a line of its own.
void append_method(std::string& payload, const AuthMethod& method) {
  payload += ";\r\n\t";
  std::size_t column = 1;
  bool begins = true;
  for (const std::string& word : words_of(method)) {
    if (!begins && column + 1 + word.size() + 1 > line_bytes_wanted) {
      payload += "\r\n\t";
      column = 1;
    } else if (!begins) {
      payload += ' ';
      ++column;
    }
    begins = false;
    payload += word;
    column += word.size();
  }
}

}  // namespace

std::string authentication_results_payload(const AuthenticationResults& results) {
  std::string payload = value_text(results.authserv_id);
  for (const AuthMethod& method : results.methods) append_method(payload, method);
  if (results.methods.empty()) payload += "; none";
  return payload;
}

std::string authentication_results_field(const AuthenticationResults& results) {
  return fmt::format("Authentication-Results: {}\r\n", authentication_results_payload(results));
}

}  // namespace tapal::mailauth
