#include "values/text/idna.h"

#include <algorithm>
#include <memory>

#include <fmt/format.h>
#include <idn2.h>

#include "values/text/ascii.h"

namespace tapal::text {

namespace {

// Longer text cannot be a domain in any script, and libidn2 need not look at it.
constexpr std::size_t input_bytes_max = 1024;

struct IdnFree {
  void operator()(void* memory) const { idn2_free(memory); }
};

Result<void> check_input(std::string_view domain) {
  if (domain.size() > input_bytes_max) return fail(Code::invalid, "the domain is too long");
  if (domain.contains('\0')) return fail(Code::invalid, "the domain has a NUL byte");
  return {};
}

Error idn_error(std::string_view domain, int status) {
  return Error{
      Code::invalid,
      fmt::format(
          "\"{}\" is no international domain name: {}", printable(domain), idn2_strerror(status))};
}

bool is_digits(std::string_view label) { return std::ranges::all_of(label, is_digit); }

Result<void> check_label(std::string_view label, std::string_view domain) {
  const auto wrong = [&](std::string_view what) {
    return fail(Code::invalid,
                fmt::format("\"{}\" is no domain name: {}", printable(domain), what));
  };
  if (label.empty()) return wrong("a label is empty");
  if (label.size() > label_bytes_max) return wrong("a label has more than 63 characters");
  if (label.front() == '-' || label.back() == '-') {
    return wrong("a label begins or ends with a hyphen");
  }
  const auto illegal = [](char c) { return !is_alnum(c) && c != '-'; };
  if (std::ranges::any_of(label, illegal)) {
    return wrong("only letters, digits and hyphens may be in it (RFC 1123 section 2.1)");
  }
  return {};
}

}  // namespace

Result<void> check_hostname(std::string_view domain) {
  if (domain.empty()) return fail(Code::invalid, "the domain is missing");
  if (domain.size() > domain_bytes_max) {
    return fail(Code::invalid, "the domain has more than 253 characters");
  }
  const auto labels = split(domain, '.');
  for (const auto label : labels) {
    TAPAL_CHECK(check_label(label, domain));
  }
  if (is_digits(labels.back())) {
    return fail(
        Code::invalid,
        fmt::format("\"{}\" is no domain name: its last label is a number", printable(domain)));
  }
  return {};
}

Result<std::string> domain_to_ascii(std::string_view domain) {
  TAPAL_CHECK(check_input(domain));
  std::string name;
  if (is_ascii(domain)) {
    name = to_lower(domain);
  } else {
    // Zero-terminated copy: the library takes no length.
    const std::string input(domain);
    char* output = nullptr;
    const int status =
        idn2_to_ascii_8z(input.c_str(), &output, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
    const std::unique_ptr<char, IdnFree> owner(output);
    if (status != IDN2_OK) return std::unexpected(idn_error(domain, status));
    name = output;
  }
  if (name.ends_with('.')) name.pop_back();
  TAPAL_CHECK(check_hostname(name));
  return name;
}

Result<std::string> domain_to_unicode(std::string_view domain) {
  TAPAL_CHECK(check_input(domain));
  const std::string input(domain);
  char* output = nullptr;
  const int status = idn2_to_unicode_8z8z(input.c_str(), &output, 0);
  const std::unique_ptr<char, IdnFree> owner(output);
  if (status != IDN2_OK) return std::unexpected(idn_error(domain, status));
  return std::string(output);
}

}  // namespace tapal::text
