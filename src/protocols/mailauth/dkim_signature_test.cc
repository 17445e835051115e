#include "protocols/mailauth/dkim_signature.h"

#include <array>

#include <gtest/gtest.h>

#include "protocols/mailauth/field_writer.h"

namespace tapal::mailauth {
namespace {

using std::chrono::seconds;
using std::chrono::sys_seconds;

const std::string hash = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";  // of nothing

// Enough for a signature; a tag given again is put in its place, one with nothing is left out.
std::string tags_with(std::string_view name, std::string_view value) {
  const std::array<std::pair<std::string_view, std::string_view>, 7> base = {{{"v", "1"},
                                                                              {"a", "rsa-sha256"},
                                                                              {"d", "example.com"},
                                                                              {"s", "sel"},
                                                                              {"h", "From:To"},
                                                                              {"bh", hash},
                                                                              {"b", "QUJD"}}};
  std::string text;
  bool placed = false;
  for (const auto& [tag, usual] : base) {
    const std::string_view chosen = tag == name ? value : usual;
    placed = placed || tag == name;
    if (chosen != "(none)") text += std::string(tag) + "=" + std::string(chosen) + "; ";
  }
  if (!placed) text += std::string(name) + "=" + std::string(value);
  return text;
}

struct TagCase {
  std::string name;
  std::string tag;
  std::string value;
  std::string what;  // part of the error; empty: accepted
};

TEST(DkimSignature, holds_to_rfc_6376_section_3_5) {
  const std::array cases = {
      TagCase{"unchanged", "v", "1", ""},
      TagCase{"an unknown tag", "zebra", "stripes", ""},
      TagCase{"no version", "v", "(none)", "no v="},
      TagCase{"another version", "v", "2", "version"},
      TagCase{"a version with zeros", "v", "1.0", "version"},
      TagCase{"no algorithm", "a", "(none)", "no a="},
      TagCase{"ed25519", "a", "ed25519-sha256", ""},
      TagCase{"rsa-sha1", "a", "rsa-sha1", "RFC 8301"},
      TagCase{"unknown algorithm", "a", "dsa-sha256", "unknown algorithm"},
      TagCase{"no domain", "d", "(none)", "no d="},
      TagCase{"an empty domain", "d", "", "empty d="},
      TagCase{"a bad domain", "d", "exa mple.com", "no domain name"},
      TagCase{"a domain too long", "d", std::string(300, 'a'), "no domain name"},
      TagCase{"a UTF-8 domain (RFC 8616)",
              "d",
              "b\xc3\xbc"
              "cher.example",
              ""},
      TagCase{"no selector", "s", "(none)", "no s="},
      TagCase{"a selector of several labels", "s", "a.b.c", ""},
      TagCase{"a selector with an underscore", "s", "k1_2048", ""},
      TagCase{"a bad selector", "s", "a/b", "no domain name"},
      TagCase{"no signed fields", "h", "(none)", "no h="},
      TagCase{"no From", "h", "To:Subject", "From is not signed"},
      TagCase{"From with white space and case", "h", "To :\r\n fROM ", ""},
      TagCase{"an empty field name", "h", "From::To", "no field name"},
      TagCase{"a field name with a space", "h", "From:a b", "no field name"},
      TagCase{"no body hash", "bh", "(none)", "no bh="},
      TagCase{"a short body hash", "bh", "QUJD", "no SHA-256"},
      TagCase{"a folded body hash", "bh", "47DEQpj8HBSa+/TImW+5\r\n JCeuQeRkm5NMpJWZG3hSuFU=", ""},
      TagCase{"no signature", "b", "(none)", "no b="},
      TagCase{"an empty signature", "b", "", "empty b="},
      TagCase{"a signature that is no base64", "b", "!!!", "not base64"},
      TagCase{"a folded signature", "b", "Q\r\n UJ\tD", ""},
      TagCase{"c, both", "c", "relaxed/simple", ""},
      TagCase{"c, one", "c", "relaxed", ""},
      TagCase{"c, unknown", "c", "relaxed/nofws", "unknown canonicalization"},
      TagCase{"c, three", "c", "simple/simple/simple", "more than two"},
      TagCase{"c, empty", "c", "", "unknown canonicalization"},
      TagCase{"i, the domain", "i", "@example.com", ""},
      TagCase{"i, a user below", "i", "joe=3Bx@Mail.Example.COM", ""},
      TagCase{"i, another domain", "i", "joe@example.org", "not within d="},
      TagCase{"i, a lookalike", "i", "joe@badexample.com", "not within d="},
      TagCase{"i, the parent", "i", "joe@com", "not within d="},
      TagCase{"i, no at", "i", "example.com", "no @"},
      TagCase{"i, bad quoting", "i", "joe=@example.com", "hex"},
      TagCase{"l", "l", "0", ""},
      TagCase{"l, 76 digits", "l", std::string(76, '9'), ""},
      TagCase{"l, 77 digits", "l", std::string(77, '9'), "no number"},
      TagCase{"l, negative", "l", "-1", "no number"},
      TagCase{"l, empty", "l", "", "no number"},
      TagCase{"t", "t", "1117574938", ""},
      TagCase{"t, text", "t", "now", "no number"},
      TagCase{"x, after t", "t", "10; x=11", ""},
      TagCase{"x, with t", "t", "10; x=10", "not after"},
      TagCase{"x, before t", "t", "10; x=9", "not after"},
      TagCase{"x alone", "x", "1", ""},
      TagCase{"q", "q", "dns/txt", ""},
      TagCase{"q, several", "q", "http/x : dns/txt", ""},
      TagCase{"q, unknown", "q", "http/x", "no way to the key"},
      TagCase{"z", "z", "From:foo@eng.example.net|To:joe@example.com", ""},
  };
  for (const TagCase& c : cases) {
    const auto signature = DkimSignature::parse(tags_with(c.tag, c.value));
    if (c.what.empty()) {
      EXPECT_TRUE(signature) << c.name << ": " << signature.error().what;
    } else {
      ASSERT_FALSE(signature) << c.name;
      EXPECT_TRUE(signature.error().what.contains(c.what))
          << c.name << ": " << signature.error().what;
    }
  }
}

TEST(DkimSignature, reads_the_values) {
  const auto signature = DkimSignature::parse(
      " v=1; a=ed25519-sha256; c=relaxed; d=Example.COM; s=Sel; i=J=3Doe@Sub.Example.com;"
      " h=From : To; bh=" +
      hash + "; b=QUJD; l=12; t=100; x=200");
  ASSERT_TRUE(signature) << signature.error().what;
  EXPECT_EQ(signature->algorithm, DkimAlgorithm::ed25519_sha256);
  EXPECT_EQ(signature->header_form, Canonicalization::relaxed);
  EXPECT_EQ(signature->body_form, Canonicalization::simple);
  EXPECT_EQ(signature->domain, "example.com");
  EXPECT_EQ(signature->selector, "sel");
  EXPECT_EQ(signature->identity, "J=oe@sub.example.com");
  EXPECT_EQ(signature->identity_domain(), "sub.example.com");
  EXPECT_EQ(signature->key_name(), "sel._domainkey.example.com");
  EXPECT_EQ(signature->signed_fields, (std::vector<std::string>{"From", "To"}));
  EXPECT_EQ(signature->body_hash.size(), 32U);
  EXPECT_EQ(signature->signature, "ABC");
  EXPECT_EQ(signature->body_length, 12U);
  EXPECT_EQ(signature->signed_at, sys_seconds(seconds(100)));
  EXPECT_EQ(signature->expires_at, sys_seconds(seconds(200)));
}

TEST(DkimSignature, asks_for_a_utf8_domain_by_its_a_label) {
  const auto signature = DkimSignature::parse(tags_with("d",
                                                        "B\xc3\xbc"
                                                        "cher.example"));
  ASSERT_TRUE(signature);
  EXPECT_EQ(signature->key_name(), "sel._domainkey.xn--bcher-kva.example");
  EXPECT_EQ(signature->identity, "@xn--bcher-kva.example");
}

DkimSignature full_signature() {
  DkimSignature signature;
  signature.header_form = Canonicalization::relaxed;
  signature.domain = "a-rather-long-name-of-a-domain.example.com";
  signature.selector = "selector2026";
  signature.identity = "@" + signature.domain;
  for (int i = 0; i < 30; ++i) signature.signed_fields.emplace_back("Content-Transfer-Encoding");
  signature.signed_fields.emplace_back("From");
  signature.body_hash = std::string(32, '\xab');
  signature.signature = std::string(256, '\xcd');
  signature.signed_at = sys_seconds(seconds(1'800'000'000));
  signature.expires_at = sys_seconds(seconds(1'800'600'000));
  signature.body_length = 42;
  return signature;
}

TEST(DkimSignature, reads_back_what_it_prints_on_short_lines) {
  DkimSignature signature = full_signature();
  for (const std::string identity : {"", "joe;x=@mail.", "@deep.down."}) {
    signature.identity = (identity.empty() ? "@" : identity) + signature.domain;
    const std::string field = signature.field();
    ASSERT_TRUE(field.starts_with("DKIM-Signature: v=1; "));
    const auto again = DkimSignature::parse(std::string_view(field).substr(15));
    ASSERT_TRUE(again) << again.error().what << field;
    EXPECT_EQ(*again, signature);
    for (std::size_t begin = 0; begin < field.size();) {
      const std::size_t end = std::min(field.find("\r\n", begin), field.size());
      EXPECT_LE(end - begin, field_line_bytes_max) << field.substr(begin, end - begin);
      begin = end + 2;
    }
  }
}

TEST(DkimSignature, prints_the_same_before_its_signature_is_known) {
  DkimSignature signature = full_signature();
  const std::string whole = signature.field();
  signature.signature.clear();
  const std::string without = signature.field();
  EXPECT_TRUE(without.ends_with("\r\n\tb="));
  EXPECT_TRUE(whole.starts_with(without));
}

}  // namespace
}  // namespace tapal::mailauth
