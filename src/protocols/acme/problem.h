// What a certificate authority has against a request (RFC 8555 section 6.7, RFC 7807), and what to
// do about it.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/fwd.hpp>

#include "base/time.h"
#include "values/http/message.h"

namespace tapal::acme {

inline constexpr std::size_t response_bytes_max = 256UL * 1024;  // of any response
inline constexpr std::size_t subproblems_max = 100;

struct Subproblem {
  std::string type;  // as Problem::type
  std::string detail;
  std::string identifier;  // the name it is about
  bool operator==(const Subproblem&) const = default;
};

struct Problem {
  int status = 0;  // of the response; 0: found here, before or after asking
  // "rateLimited": without "urn:ietf:params:acme:error:"; empty: found here
  std::string type;
  std::string detail;  // the authority's own words, printable
  std::vector<Subproblem> subproblems;
  std::optional<std::chrono::seconds> retry_after;  // it asked for that long a pause
  bool operator==(const Problem&) const = default;

  std::string hint() const;  // what a person can do; empty where only trying again is left
  std::string text() const;  // all of it on one line
};

// From the body of a response that is none of success; never empty: where there is no problem
// document the status tells.
Problem read_problem(const http::Response& response, WallTime now);
// A problem document inside another object: of a challenge or an order.
Problem problem_of(const boost::json::object& document);
// One of ours.
Problem local_problem(std::string detail);

// Of the field Retry-After, in seconds or as a date (RFC 9110 section 10.2.3).
std::optional<std::chrono::seconds> retry_after(const http::Response& response, WallTime now);

}  // namespace tapal::acme
