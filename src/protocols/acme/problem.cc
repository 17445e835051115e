#include "protocols/acme/problem.h"

#include <algorithm>
#include <array>
#include <utility>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "protocols/acme/answer_object.h"
#include "values/text/ascii.h"
#include "values/text/date.h"
#include "values/text/json_fields.h"

namespace tapal::acme {

namespace json = boost::json;

namespace {

constexpr std::string_view prefix = "urn:ietf:params:acme:error:";
constexpr std::size_t detail_bytes_max = 1'000;
constexpr std::chrono::seconds retry_after_max = std::chrono::days(30);

// RFC 8555 section 6.7, RFC 9773 section 7.4.
constexpr std::array<std::pair<std::string_view, std::string_view>, 17> hints{{
    {"accountDoesNotExist", "a new account is made with the next order"},
    {"alreadyReplaced", "another run has renewed this certificate already"},
    {"badSignatureAlgorithm", "the authority wants another kind of account key than EC P-256"},
    {"caa",
     "a CAA record of the domain forbids this authority: add one that names it, or choose another "
     "authority (acme.directory)"},
    {"connection",
     "the authority cannot reach this machine: do the A and AAAA records lead here, and are port "
     "80 (http-01) or 443 (tls-alpn-01) open in every firewall?"},
    {"dns",
     "the authority cannot look the name up: does it exist, do all its name servers answer, is "
     "DNSSEC in order?"},
    {"externalAccountRequired",
     "the authority knows its customers beforehand: set acme.external_account_id and "
     "acme.external_account_key_file to what its web site shows"},
    {"incorrectResponse",
     "something else answers in our place: another web server, a proxy in front of this machine, "
     "or an old TXT record"},
    {"invalidContact", "the authority does not take the address in acme.contact"},
    {"invalidProfile", "the authority has no such profile: see acme.profile"},
    {"malformed", "the authority did not understand the request; please report this"},
    {"rateLimited",
     "wait as long as it says: every further try counts, too; while trying things out use "
     "acme.directory = \"letsencrypt-staging\""},
    {"rejectedIdentifier", "this authority gives no certificates for that name"},
    {"serverInternal", "the fault is the authority's; it is tried again"},
    {"tls", "the TLS answer on port 443 is not ours: does another server listen there?"},
    {"unauthorized",
     "something else answers in our place: another web server, a proxy in front of this machine, "
     "or an old TXT record"},
    {"userActionRequired", "open the address in the authority's words and do what it asks"},
}};

std::string short_type(std::string type) {
  if (type.starts_with(prefix)) type.erase(0, prefix.size());
  return text::printable(type, 100);
}

}  // namespace

Problem local_problem(std::string detail) {
  Problem problem;
  problem.detail = std::move(detail);
  return problem;
}

std::optional<std::chrono::seconds> retry_after(const http::Response& response, WallTime now) {
  const auto field = text::trim(response.header("Retry-After"));
  if (field.empty()) return {};
  std::chrono::seconds pause{0};
  if (const auto seconds = text::to_number<std::uint32_t>(field)) {
    pause = std::chrono::seconds(*seconds);
  } else if (const auto date = text::parse_rfc5322_date(field)) {
    pause = std::chrono::ceil<std::chrono::seconds>(*date - now);
  } else {
    return {};
  }
  return std::clamp(pause, std::chrono::seconds(0), retry_after_max);
}

Problem problem_of(const json::object& document) {
  Problem problem;
  problem.type = short_type(text::text_at(document, "type"));
  problem.detail = text::printable(text::text_at(document, "detail"), detail_bytes_max);
  const auto* others = text::array_at(document, "subproblems");
  if (others == nullptr) return problem;
  for (const auto& other : *others) {
    const auto* object = other.if_object();
    if (object == nullptr || problem.subproblems.size() == subproblems_max) continue;
    const auto* identifier = text::object_at(*object, "identifier");
    problem.subproblems.push_back(
        {short_type(text::text_at(*object, "type")),
         text::printable(text::text_at(*object, "detail"), detail_bytes_max),
         identifier != nullptr ? text::printable(text::text_at(*identifier, "value"), 300) : ""});
  }
  return problem;
}

Problem read_problem(const http::Response& response, WallTime now) {
  Problem problem;
  if (const auto document = answer_object(response.body)) problem = problem_of(*document);
  problem.status = response.status;
  problem.retry_after = retry_after(response, now);
  if (problem.detail.empty())
    problem.detail = fmt::format("the authority answers with status {}", response.status);
  return problem;
}

std::string Problem::hint() const {
  std::string_view sought = type;
  // A compound problem's own type tells nothing (RFC 8555 section 6.7.1).
  if (sought == "compound" && !subproblems.empty()) sought = subproblems.front().type;
  const auto* found = std::ranges::find(hints, sought, [](const auto& hint) { return hint.first; });
  return found == hints.end() ? std::string() : std::string(found->second);
}

std::string Problem::text() const {
  std::string all = detail;
  for (const auto& sub : subproblems)
    all += fmt::format("; {}: {} ({})", sub.identifier, sub.detail, sub.type);
  if (!type.empty()) all += fmt::format(" [{}]", type);
  if (retry_after) all += fmt::format(" (again in {} s)", retry_after->count());
  if (const auto what = hint(); !what.empty()) all += " -- " + what;
  return all;
}

}  // namespace tapal::acme
