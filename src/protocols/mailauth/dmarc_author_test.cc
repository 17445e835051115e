#include "protocols/mailauth/dmarc_author.h"

#include <gtest/gtest.h>

namespace tapal::mailauth {
namespace {

using Domains = std::vector<std::string>;

struct AuthorCase {
  std::string_view name, header;
  Domains domains;
  std::string_view problem;
};

TEST(AuthorDomains, are_those_of_the_from_field) {
  const AuthorCase cases[] = {
      {"one", "From: Ann <ann@X.example>\r\nTo: b@y.example\r\n", {"x.example"}, ""},
      {"folded",
       "Subject: x\r\nfrom :\r\n ann@x.example\r\n\r\nFrom: not@header.example",
       {"x.example"},
       ""},
      {"of one domain", "From: a@x.example, b@X.example\r\n", {"x.example"}, ""},
      {"of two", "From: a@x.example, b@y.example\r\n", {"x.example", "y.example"}, ""},
      {"a name like an address",
       "From: \"bank@bank.example\" <e@evil.example>\r\n",
       {"evil.example"},
       ""},
      {"IDN",
       "From: a@b\xC3\xBC"
       "cher.example\r\n",
       {"xn--bcher-kva.example"},
       ""},
      {"none", "To: b@y.example\r\n", {}, "there is no From field"},
      {"empty header", "", {}, "there is no From field"},
      {"empty field", "From: \r\n", {}, "the From field"},
      {"an empty group", "From: nobody:;\r\n", {}, "no address"},
      {"two fields",
       "From: a@x.example\r\nFrom: b@y.example\r\n",
       {"x.example", "y.example"},
       "2 From"},
      {"unreadable", "From: a@x.example b@y.example\r\n", {}, "cannot be read"},
      {"literal", "From: a@[192.0.2.1]\r\n", {}, "no domain name"},
      {"literal among others",
       "From: a@[192.0.2.1], b@x.example\r\n",
       {"x.example"},
       "no domain name"},
      {"too many",
       "From: a@a.example, a@b.example, a@c.example, a@d.example, a@e.example\r\n",
       {"a.example", "b.example", "c.example", "d.example"},
       "more than 4"},
  };
  for (const auto& [name, header, domains, problem] : cases) {
    const auto authors = author_domains(header);
    EXPECT_EQ(authors.domains, domains) << name;
    EXPECT_EQ(authors.problem.empty(), problem.empty()) << name << ": " << authors.problem;
    EXPECT_TRUE(authors.problem.contains(problem)) << name << ": " << authors.problem;
  }
}

}  // namespace
}  // namespace tapal::mailauth
