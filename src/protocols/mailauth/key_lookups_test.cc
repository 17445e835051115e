#include "protocols/mailauth/key_lookups.h"

#include <gtest/gtest.h>

#include "protocols/mailauth/test_key_zone.h"
#include "values/crypto/test_keys.h"

namespace tapal::mailauth {
namespace {

const crypto::PrivateKey& key() {
  static const auto made = crypto::PrivateKey::from_pem(crypto::test_keys::rsa_1024);
  return *made;
}

const crypto::Digest digest = crypto::sha256("what is signed");

DkimSignature signature() {
  return {.domain = "a.example", .selector = "s", .identity = "@a.example"};
}

TEST(KeyLookups, ask_for_each_name_once) {
  KeyLookups lookups(4);
  EXPECT_EQ(lookups.want("s._domainkey.a.example"), 0U);
  EXPECT_EQ(lookups.want("t._domainkey.a.example"), 1U);
  EXPECT_EQ(lookups.want("s._domainkey.a.example"), 0U);
  EXPECT_EQ(lookups.find("t._domainkey.a.example"), 1U);
  EXPECT_FALSE(lookups.find("u._domainkey.a.example"));
  EXPECT_EQ(lookups.next_lookup(), (dns::Lookup{"s._domainkey.a.example", dns::Type::txt}));
  lookups.on_reply({dns::LookupReply::Status::no_such_name, {}});
  EXPECT_EQ(lookups.next_lookup(), (dns::Lookup{"t._domainkey.a.example", dns::Type::txt}));
  lookups.on_reply({dns::LookupReply::Status::failed, {}});
  EXPECT_FALSE(lookups.next_lookup());
  EXPECT_EQ(lookups.choose(0, signature()).why_none, "no key at s._domainkey.a.example");
  EXPECT_FALSE(lookups.choose(0, signature()).temporary);
  EXPECT_TRUE(lookups.choose(1, signature()).temporary);
}

TEST(KeyLookups, find_the_key_that_signed_among_several) {
  const auto other = crypto::PrivateKey::generate_rsa(1024);
  const auto good = DkimKeyRecord::for_key(key())->text();
  KeyLookups lookups(3);
  const auto wanted = lookups.want("s._domainkey.a.example");
  lookups.on_reply(
      texts_reply({"v=spf1 -all", DkimKeyRecord::for_key(*other)->text(), good, good}));
  const auto choice = lookups.choose(wanted, signature());
  ASSERT_EQ(choice.keys.size(), 2U);
  EXPECT_EQ(choice.maker_of(digest, *key().sign(digest)), &choice.keys[1]);
  EXPECT_EQ(choice.maker_of(crypto::sha256("else"), *key().sign(digest)), nullptr);
}

}  // namespace
}  // namespace tapal::mailauth
