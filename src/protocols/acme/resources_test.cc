#include "protocols/acme/resources.h"

#include <gtest/gtest.h>

namespace tapal::acme {
namespace {

TEST(Directory, of_rfc_8555_section_7_1_1_is_read) {
  const auto directory = read_directory(R"({
    "newNonce": "https://example.com/acme/new-nonce",
    "newAccount": "https://example.com/acme/new-account",
    "newOrder": "https://example.com/acme/new-order",
    "newAuthz": "https://example.com/acme/new-authz",
    "revokeCert": "https://example.com/acme/revoke-cert",
    "keyChange": "https://example.com/acme/key-change",
    "meta": {
      "termsOfService": "https://example.com/acme/terms/2017-5-30",
      "website": "https://www.example.com/",
      "caaIdentities": ["example.com"],
      "externalAccountRequired": false}})");
  ASSERT_TRUE(directory) << directory.error().what;
  EXPECT_EQ(directory->new_nonce, "https://example.com/acme/new-nonce");
  EXPECT_EQ(directory->new_account, "https://example.com/acme/new-account");
  EXPECT_EQ(directory->new_order, "https://example.com/acme/new-order");
  EXPECT_EQ(directory->terms_of_service, "https://example.com/acme/terms/2017-5-30");
  EXPECT_EQ(directory->issuer_names, std::vector<std::string>{"example.com"});
  EXPECT_FALSE(directory->external_account_required);
  EXPECT_EQ(directory->renewal_info, "");
}

TEST(Order, of_rfc_8555_section_7_1_3_is_read) {
  const auto order = read_order(R"({
    "status": "valid", "expires": "2016-01-20T14:09:07.99Z",
    "identifiers": [{"type": "dns", "value": "www.example.org"},
                    {"type": "dns", "value": "example.org"}],
    "notBefore": "2016-01-01T00:00:00Z", "notAfter": "2016-01-08T00:00:00Z",
    "authorizations": ["https://example.com/acme/authz/PAniVnsZcis",
                       "https://example.com/acme/authz/r4HqLzrSrpI"],
    "finalize": "https://example.com/acme/order/TOlocE8rfgo/finalize",
    "certificate": "https://example.com/acme/cert/mAt3xBGaobw"})");
  ASSERT_TRUE(order) << order.error().what;
  EXPECT_EQ(order->status, Status::valid);
  EXPECT_EQ(order->authorizations.size(), 2U);
  EXPECT_EQ(order->certificate, "https://example.com/acme/cert/mAt3xBGaobw");
}

TEST(Authorization, of_rfc_8555_section_7_1_4_is_read) {
  const auto authorization = read_authorization(R"({
    "status": "pending", "expires": "2015-03-01T14:09:07.99Z",
    "identifier": {"type": "dns", "value": "www.example.org"},
    "challenges": [
      {"url": "https://example.com/acme/chall/prV_B7yEyA4", "type": "http-01",
       "status": "pending", "token": "DGyRejmCefe7v4NfDGDKfA"},
      {"url": "https://example.com/acme/chall/x", "type": "carrier-pigeon-01", "token": "coo"},
      {"url": "https://example.com/acme/chall/y", "type": "dns-01", "token": "short"}],
    "wildcard": false})");
  ASSERT_TRUE(authorization) << authorization.error().what;
  EXPECT_EQ(authorization->name, "www.example.org");
  ASSERT_EQ(authorization->challenges.size(), 1U);
  EXPECT_EQ(authorization->challenges[0].kind, ChallengeKind::http_01);
  EXPECT_EQ(authorization->challenges[0].token, "DGyRejmCefe7v4NfDGDKfA");
}

TEST(Resources, that_are_none_are_refused) {
  for (const std::string body :
       {"", "null", "[]", "{}", R"({"newNonce":1})", R"({"authorizations":"x"})", "{\"a\":"}) {
    SCOPED_TRACE(body);
    EXPECT_FALSE(read_directory(body));
    EXPECT_FALSE(read_order(body));
    EXPECT_FALSE(read_authorization(body));
  }
  EXPECT_FALSE(read_order(std::string(300'000, ' ') + "{}"));
  EXPECT_FALSE(read_order(std::string(100'000, '[')));
}

struct PersistCase {
  const char* value;
  bool is_enough;
};

TEST(PersistentRecord, may_be_spelled_in_other_ways) {
  const auto wanted = persistent_record("ca.example", "https://ca.example/acct/1", true);
  const std::vector<PersistCase> cases = {
      {"ca.example; accounturi=https://ca.example/acct/1; policy=wildcard", true},
      {"CA.example;policy=wildcard;ACCOUNTURI=https://ca.example/acct/1;persistUntil=99", true},
      {"ca.example; accounturi=https://ca.example/acct/1", false},
      {"ca.example; accounturi=https://ca.example/acct/2; policy=wildcard", false},
      {"other.example; accounturi=https://ca.example/acct/1; policy=wildcard", false},
      {"", false},
  };
  for (const auto& c : cases)
    EXPECT_EQ(is_persistent_record(c.value, wanted), c.is_enough) << c.value;
}

}  // namespace
}  // namespace tapal::acme
