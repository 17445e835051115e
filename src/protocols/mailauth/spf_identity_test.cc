#include "protocols/mailauth/spf_identity.h"

#include <vector>

#include <gtest/gtest.h>

namespace tapal::mailauth {
namespace {

struct PathCase {
  std::string path;
  std::string local_part;
  std::string domain;
};

TEST(SpfIdentity, takes_any_reverse_path_apart) {
  const std::vector<PathCase> cases = {
      {"ann@example.com", "ann", "example.com"},
      {"Ann.B@Example.COM", "Ann.B", "Example.COM"},
      {"\"a@b\"@example.com", "\"a@b\"", "example.com"},
      {"@example.com", "postmaster", "example.com"},
      {"example.com", "postmaster", "example.com"},
      {"ann@", "ann", ""},
      {"@", "postmaster", ""},
      {"ann@[192.0.2.1]", "ann", "[192.0.2.1]"},
  };
  for (const PathCase& c : cases) {
    const auto identity = SpfIdentity::of_mail_from(c.path, "mail.example.net");
    EXPECT_EQ(identity.kind, SpfIdentity::Kind::mail_from) << c.path;
    EXPECT_EQ(identity.local_part, c.local_part) << c.path;
    EXPECT_EQ(identity.domain, c.domain) << c.path;
  }
}

TEST(SpfIdentity, is_helo_for_the_null_reverse_path) {
  const auto identity = SpfIdentity::of_mail_from("", "mail.example.net");
  EXPECT_EQ(identity.kind, SpfIdentity::Kind::helo);
  EXPECT_EQ(identity.local_part, "postmaster");
  EXPECT_EQ(identity.domain, "mail.example.net");
  EXPECT_EQ(spf_identity_text(identity.kind), "helo");
  EXPECT_EQ(spf_identity_text(SpfIdentity::Kind::mail_from), "mailfrom");
}

struct DomainCase {
  std::string text;
  std::string result;  // empty: none
};

TEST(SpfDomain, may_have_a_record) {
  const std::string long_name = std::string(63, 'a') + "." + std::string(63, 'b') + "." +
                                std::string(63, 'c') + "." + std::string(61, 'd');
  const std::vector<DomainCase> cases = {
      {"example.com", "example.com"},
      {"Example.com.", "Example.com"},
      {"_dmarc.example.com", "_dmarc.example.com"},
      {"foo:bar/baz.example.com", "foo:bar/baz.example.com"},
      {"b\xc3\xbc"
       "cher.example",
       "xn--bcher-kva.example"},
      {std::string(63, 'a') + ".example", std::string(63, 'a') + ".example"},
      {std::string(64, 'a') + ".example", ""},
      {long_name, long_name},
      {long_name + "d", ""},
      {"", ""},
      {".", ""},
      {"com", ""},
      {"com.", ""},
      {"a...example.com", ""},
      {".example.com", ""},
      {"example.com..", ""},
      {"[192.0.2.1]", ""},
      {"[IPv6:2001:db8::1]", ""},
      {"\xff.example", ""},
  };
  for (const DomainCase& c : cases) EXPECT_EQ(spf_domain(c.text).value_or(""), c.result) << c.text;
}

}  // namespace
}  // namespace tapal::mailauth
