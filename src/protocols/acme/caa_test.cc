#include "protocols/acme/caa.h"

#include <gtest/gtest.h>

namespace tapal::acme {
namespace {

using Status = dns::LookupReply::Status;

dns::Data caa(std::uint8_t flags, const std::string& tag, const std::string& value) {
  std::string bytes{static_cast<char>(flags), static_cast<char>(tag.size())};
  return dns::RawData{bytes + tag + value};
}

struct Zone {
  const char* name;
  std::vector<dns::Data> data;
};

struct CaaCase {
  const char* title;
  const char* name;
  Zone zone;
  bool is_allowed;
};

const CaaQuestion question{"mail.example.org",
                           {"ca.example", "ca.example.net"},
                           "https://ca.example/acct/1",
                           {ChallengeKind::tls_alpn_01, ChallengeKind::http_01}};

std::string objection_to(const std::string& name, const Zone& zone) {
  auto about = question;
  about.name = name;
  CaaCheck check(about);
  int lookups = 0;
  while (const auto lookup = check.next_lookup()) {
    EXPECT_EQ(lookup->type, dns::Type::caa);
    EXPECT_LT(++lookups, 10);
    dns::LookupReply reply{Status::no_data, {}};
    if (lookup->name == zone.name)
      for (const auto& data : zone.data) {
        reply.status = Status::found;
        reply.records.push_back({lookup->name, dns::Type::caa, {}, data});
      }
    check.on_reply(reply);
  }
  return check.objection();
}

TEST(CaaCheck, decides_as_rfc_8659_and_rfc_8657_say) {
  const char* org = "example.org";
  const char* mail = "mail.example.org";
  const std::vector<CaaCase> cases = {
      {"no records", mail, {org, {}}, true},
      {"ours, above", mail, {org, {caa(0, "issue", "ca.example")}}, true},
      {"ours, spelled otherwise", mail, {org, {caa(0, "ISSUE", " CA.Example ")}}, true},
      {"ours by another of its names", mail, {org, {caa(0, "issue", "ca.example.net")}}, true},
      {"another's", mail, {org, {caa(0, "issue", "other.example")}}, false},
      {"another's at the top", mail, {"org", {caa(0, "issue", "other.example")}}, false},
      {"nobody's", mail, {org, {caa(0, "issue", ";")}}, false},
      {"ours among others",
       mail,
       {org, {caa(0, "issue", "other.example"), caa(0, "issue", "ca.example; x=1")}},
       true},
      {"reports only", mail, {org, {caa(0, "iodef", "mailto:a@example.org")}}, true},
      {"wildcards only", mail, {org, {caa(0, "issuewild", ";")}}, true},
      {"a wildcard, by its own property",
       "*.example.org",
       {org, {caa(0, "issue", "other.example"), caa(0, "issuewild", "ca.example")}},
       true},
      {"a wildcard, by the usual property",
       "*.example.org",
       {org, {caa(0, "issue", "ca.example")}},
       true},
      {"no wildcard",
       "*.example.org",
       {org, {caa(0, "issue", "ca.example"), caa(0, "issuewild", ";")}},
       false},
      {"an unknown critical property",
       mail,
       {org, {caa(0, "issue", "ca.example"), caa(128, "tbs", "x")}},
       false},
      {"a known critical property", mail, {org, {caa(128, "issue", "ca.example")}}, true},
      {"our account",
       mail,
       {org, {caa(0, "issue", "ca.example; accounturi=https://ca.example/acct/1")}},
       true},
      {"another account",
       mail,
       {org, {caa(0, "issue", "ca.example; accounturi=https://ca.example/acct/2")}},
       false},
      {"our method",
       mail,
       {org, {caa(0, "issue", "ca.example; validationmethods=dns-01,http-01")}},
       true},
      {"another method",
       mail,
       {org, {caa(0, "issue", "ca.example; validationmethods=dns-01")}},
       false},
      {"a broken parameter", mail, {org, {caa(0, "issue", "ca.example; nonsense")}}, false},
      {"a parameter twice",
       mail,
       {org, {caa(0, "issue", "ca.example; accounturi=a; accounturi=b")}},
       false},
      {"a cut record", mail, {org, {dns::RawData{std::string("\0\x09issue", 7)}}}, true},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.title);
    EXPECT_EQ(objection_to(c.name, c.zone).empty(), c.is_allowed) << objection_to(c.name, c.zone);
  }
  EXPECT_EQ(objection_to(mail, {org, {caa(0, "issue", ";")}}),
            "the CAA records of example.org do not let this authority issue for mail.example.org; "
            "add: example.org. CAA 0 issue \"ca.example\"");
}

TEST(CaaCheck, says_nothing_where_dns_fails_or_nobody_is_named) {
  CaaCheck check(question);
  ASSERT_TRUE(check.next_lookup());
  check.on_reply({Status::failed, {}});
  EXPECT_FALSE(check.next_lookup());
  EXPECT_EQ(check.objection(), "");
  EXPECT_FALSE(CaaCheck({"mail.example.org", {}, "", {}}).next_lookup());
  EXPECT_FALSE(CaaCheck({"192.0.2.1", {"ca.example"}, "", {}}).next_lookup());
}

}  // namespace
}  // namespace tapal::acme
