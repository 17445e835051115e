#include "protocols/acme/problem.h"

#include <gtest/gtest.h>

namespace tapal::acme {
namespace {

using std::chrono::seconds;

constexpr WallTime now{std::chrono::days(20'819)};  // 2027-01-01

// RFC 8555 section 6.7.1, but for the line breaks.
constexpr const char* compound = R"({
  "type": "urn:ietf:params:acme:error:malformed",
  "detail": "Some of the identifiers requested were rejected",
  "subproblems": [
    {"type": "urn:ietf:params:acme:error:malformed",
     "detail": "Invalid underscore in DNS name \"_example.org\"",
     "identifier": {"type": "dns", "value": "_example.org"}},
    {"type": "urn:ietf:params:acme:error:rejectedIdentifier",
     "detail": "This CA will not issue for \"example.net\"",
     "identifier": {"type": "dns", "value": "example.net"}}]})";

TEST(Problem, is_read_with_all_that_it_holds) {
  const auto problem = read_problem({403, {}, compound}, now);
  EXPECT_EQ(problem.status, 403);
  EXPECT_EQ(problem.type, "malformed");
  EXPECT_EQ(problem.detail, "Some of the identifiers requested were rejected");
  const std::vector<Subproblem> subproblems = {
      {"malformed", "Invalid underscore in DNS name \"_example.org\"", "_example.org"},
      {"rejectedIdentifier", "This CA will not issue for \"example.net\"", "example.net"}};
  EXPECT_EQ(problem.subproblems, subproblems);
}

TEST(Problem, tells_what_to_do) {
  const http::Response response{
      429,
      {{"Retry-After", "120"}},
      R"({"type":"urn:ietf:params:acme:error:rateLimited","detail":"too many\nnew orders"})"};
  EXPECT_EQ(read_problem(response, now).text(),
            "too many\\x0Anew orders [rateLimited] (again in 120 s) -- wait as long as it says: "
            "every further try counts, too; while trying things out use acme.directory = "
            "\"letsencrypt-staging\"");
}

TEST(Problem, without_a_document_is_its_status) {
  for (const std::string body : {"", "<html>", "[]", "{}", R"({"detail":7,"subproblems":{}})"}) {
    SCOPED_TRACE(body);
    const auto problem = read_problem({502, {}, body}, now);
    EXPECT_EQ(problem.detail, "the authority answers with status 502");
    EXPECT_EQ(problem.hint(), "");
  }
}

struct RetryCase {
  const char* field;
  std::optional<seconds> pause;
};

TEST(RetryAfter, is_seconds_or_a_date) {
  const std::vector<RetryCase> cases = {
      {"0", seconds(0)},
      {" 86400 ", seconds(86'400)},
      {"Fri, 01 Jan 2027 00:01:00 GMT", seconds(60)},
      {"Thu, 31 Dec 2026 00:00:00 GMT", seconds(0)},
      {"4294967295", std::chrono::days(30)},
      {"99999999999999", {}},
      {"-1", {}},
      {"soon", {}},
      {"", {}},
  };
  for (const auto& c : cases)
    EXPECT_EQ(retry_after({503, {{"retry-after", c.field}}, {}}, now), c.pause) << c.field;
  EXPECT_EQ(retry_after({503, {}, {}}, now), std::nullopt);
}

}  // namespace
}  // namespace tapal::acme
