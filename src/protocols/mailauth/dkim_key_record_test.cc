#include "protocols/mailauth/dkim_key_record.h"

#include <array>

#include <gtest/gtest.h>

namespace tapal::mailauth {
namespace {

TEST(DkimKeyRecord, reads_every_tag) {
  const auto record = DkimKeyRecord::parse(
      "v=DKIM1; h=sha1:SHA256; k=rsa; n=some=20notes; s=email:other; t=y:s:unknown; g=*; "
      "p=QUJD\r\n RA==;");
  ASSERT_TRUE(record) << record.error().what;
  EXPECT_EQ(record->key_type, "rsa");
  EXPECT_EQ(record->key, "ABCD");
  EXPECT_EQ(record->notes, "some=20notes");
  EXPECT_TRUE(record->testing);
  EXPECT_TRUE(record->strict_identity);
  EXPECT_TRUE(record->allows_hash("sha256"));
  EXPECT_FALSE(record->allows_hash("sha512"));
  EXPECT_TRUE(record->allows_service("email"));
  EXPECT_FALSE(record->allows_service("tlsrpt"));
}

TEST(DkimKeyRecord, allows_everything_by_default) {
  const auto record = DkimKeyRecord::parse("p=QUJDRA==");
  ASSERT_TRUE(record);
  EXPECT_EQ(record->key_type, "rsa");
  EXPECT_TRUE(record->allows_hash("sha256"));
  EXPECT_TRUE(record->allows_service("email"));
  EXPECT_FALSE(record->testing);
  EXPECT_FALSE(record->strict_identity);
  EXPECT_FALSE(record->revoked());
}

struct RecordCase {
  std::string name;
  std::string text;
  bool good = false;
};

TEST(DkimKeyRecord, holds_to_rfc_6376_section_3_6_1) {
  const std::array cases = {
      RecordCase{"revoked", "v=DKIM1; p=", true},
      RecordCase{"unknown key type", "v=DKIM1; k=dsa; p=QUJD", true},
      RecordCase{"an empty note", "v=DKIM1;n=;p=QUJD", true},
      RecordCase{"no key", "v=DKIM1; k=rsa", false},
      RecordCase{"version not first", "k=rsa; v=DKIM1; p=QUJD", false},
      RecordCase{"another version", "v=DKIM2; p=QUJD", false},
      RecordCase{"version in lower case", "v=dkim1; p=QUJD", false},
      RecordCase{"no base64", "v=DKIM1; p=!!!!", false},
      RecordCase{"an empty hash list", "v=DKIM1; h=; p=QUJD", false},
      RecordCase{"an empty service list", "v=DKIM1; s=; p=QUJD", false},
      RecordCase{"a key twice", "v=DKIM1; p=QUJD; p=QUJD", false},
      RecordCase{"an SPF record", "v=spf1 -all", false},
      RecordCase{"nothing", "", false},
      RecordCase{"text", "And now for something completely different", false},
  };
  for (const RecordCase& c : cases) {
    EXPECT_EQ(DkimKeyRecord::parse(c.text).has_value(), c.good) << c.name;
  }
}

TEST(DkimKeyRecord, reads_back_what_it_prints) {
  DkimKeyRecord record;
  record.key = "any bytes";
  EXPECT_EQ(record.text(), "v=DKIM1; k=rsa; p=YW55IGJ5dGVz");
  EXPECT_EQ(*DkimKeyRecord::parse(record.text()), record);
  record.key_type = "ed25519";
  record.hashes = {"sha256"};
  record.services = {"email", "other"};
  record.notes = "a=3Bb";
  record.testing = true;
  EXPECT_EQ(*DkimKeyRecord::parse(record.text()), record);
  record.strict_identity = true;
  EXPECT_EQ(*DkimKeyRecord::parse(record.text()), record);
  record.testing = false;
  EXPECT_EQ(*DkimKeyRecord::parse(record.text()), record);
}

TEST(DkimKeyRecord, carries_the_public_half_of_a_key) {
  const auto rsa = crypto::PrivateKey::generate_rsa(1024);
  const auto ed25519 = crypto::PrivateKey::generate_ed25519();
  for (const auto* key : {&*rsa, &*ed25519}) {
    const auto record = DkimKeyRecord::for_key(*key);
    ASSERT_TRUE(record);
    const auto published = DkimKeyRecord::parse(record->text());
    ASSERT_TRUE(published) << published.error().what;
    const auto half = published->public_key();
    ASSERT_TRUE(half) << half.error().what;
    EXPECT_TRUE(half->verify(crypto::sha256("x"), *key->sign(crypto::sha256("x"))));
  }
  EXPECT_EQ(DkimKeyRecord::for_key(*ed25519)->text().size(), 66U);
  EXPECT_FALSE(DkimKeyRecord::for_key(*crypto::PrivateKey::generate_ec_p256()));
}

TEST(DkimKeyRecord, has_no_key_when_it_is_revoked_or_strange) {
  EXPECT_FALSE(DkimKeyRecord::parse("p=")->public_key());
  EXPECT_FALSE(DkimKeyRecord::parse("k=dsa; p=QUJD")->public_key());
  EXPECT_FALSE(DkimKeyRecord::parse("k=rsa; p=QUJD")->public_key());
  EXPECT_FALSE(DkimKeyRecord::parse("k=ed25519; p=QUJD")->public_key());
  // A SubjectPublicKeyInfo of an EC key does not become RSA by its label.
  const auto ec = crypto::PrivateKey::generate_ec_p256();
  DkimKeyRecord record;
  record.key = ec->public_key_der();
  EXPECT_FALSE(record.public_key());
}

}  // namespace
}  // namespace tapal::mailauth
