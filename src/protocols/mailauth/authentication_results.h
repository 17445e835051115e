// The Authentication-Results field (RFC 8601): written, read, and told ours from others'. What its
// methods and properties mean is left to those who fill them in.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tapal::mailauth {

struct AuthProperty {
  std::string type;   // "smtp", "header", "body", "policy"
  std::string name;   // "mailfrom"
  std::string value;  // one that is empty is not written

  bool operator==(const AuthProperty&) const = default;
};

struct AuthMethod {
  std::string method;  // "dkim"; method and result are keywords (RFC 5321's): letters, digits, "-"
  std::string result;  // "pass"
  std::string reason = {};   // for people; empty: none
  std::string comment = {};  // written behind the result, not read
  std::vector<AuthProperty> properties = {};

  bool operator==(const AuthMethod&) const = default;
};

struct AuthenticationResults {
  std::string authserv_id;          // who says so
  std::vector<AuthMethod> methods;  // empty: "none", nothing was checked

  bool operator==(const AuthenticationResults&) const = default;
};

// What follows "Authentication-Results: ", a method a line, without the final CRLF. What would
// break out of its place is quoted; control characters become "?".
std::string authentication_results_payload(const AuthenticationResults& results);
// The whole field with its CRLF.
std::string authentication_results_field(const AuthenticationResults& results);

struct AuthenticationResultsLimits {
  std::size_t bytes_max = 64 * 1024;
  std::size_t methods_max = 100;
  std::size_t properties_max = 32;  // of one method
  std::size_t comment_depth_max = 16;
};

// Reads what authentication_results_payload() writes and what others write: comments and folding
// anywhere, results that make no sense left out. Code::invalid: no authserv-id, a version that is
// not 1 (section 2.5), a limit.
Result<AuthenticationResults> parse_authentication_results(
    std::string_view field_body, const AuthenticationResultsLimits& limits = {});

// Whether the field says to be of `authserv_id`, case ignored, so that it has to go when it came
// from outside (section 5). A field whose id cannot be read counts as ours: nobody knows what the
// next reader makes of it.
bool is_ours(std::string_view field_body, std::string_view authserv_id);

}  // namespace tapal::mailauth
