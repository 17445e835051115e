#include "protocols/mailauth/dkim_sign.h"

#include <algorithm>
#include <array>
#include <random>

#include <gtest/gtest.h>

#include "protocols/mailauth/dkim_signature.h"
#include "protocols/mailauth/dkim_verify.h"
#include "protocols/mailauth/test_key_zone.h"
#include "values/text/ascii.h"

namespace tapal::mailauth {
namespace {

using std::chrono::days;
using std::chrono::seconds;

constexpr WallTime now{std::chrono::seconds(1'800'000'000)};

DkimSigner signer_with(Result<crypto::PrivateKey> key, std::string selector) {
  return {"sender.example",
          std::move(selector),
          std::make_shared<const crypto::PrivateKey>(std::move(key).value())};
}

const DkimSigner& rsa_signer() {
  static const DkimSigner signer = signer_with(crypto::PrivateKey::generate_rsa(1024), "rsa");
  return signer;
}
const DkimSigner& ed25519_signer() {
  static const DkimSigner signer = signer_with(crypto::PrivateKey::generate_ed25519(), "ed");
  return signer;
}

crypto::Digest body_hash_of(std::string_view body) {
  DkimBodyHasher hasher;
  hasher.update(body);
  return hasher.finish();
}

Result<std::string> sign(const DkimSigner& signer, std::string_view header, std::string_view body) {
  return dkim_sign(signer, header, body_hash_of(body), {.now = now, .expires = now + days(7)});
}

std::vector<DkimResult> verify(const std::string& header, std::string_view body) {
  SignedMessage message(header);
  DkimVerifier verifier(message);
  KeyZone zone;
  for (const DkimSigner* signer : {&rsa_signer(), &ed25519_signer()}) {
    zone.add(signer->selector + "._domainkey." + signer->domain,
             DkimKeyRecord::for_key(*signer->key)->text());
  }
  zone.answer(message);
  message.on_body(body);
  return verifier.results(now + seconds(60));
}

TEST(DkimSign, lists_fields_once_more_than_they_are_there) {
  const auto fields = split_header_block(
      "Received: x\r\nFrom: a\r\nTo: b\r\nTo: c\r\nReferences: <1>\r\nX-Other: y\r\n"
      "List-Id: <l>\r\nreturn-path: <>\r\n");
  EXPECT_EQ(dkim_signed_fields(fields),
            (std::vector<std::string>{"From",
                                      "From",
                                      "Subject",
                                      "Date",
                                      "To",
                                      "To",
                                      "To",
                                      "Cc",
                                      "Reply-To",
                                      "Message-ID",
                                      "MIME-Version",
                                      "Content-Type",
                                      "Content-Transfer-Encoding",
                                      "List-Unsubscribe",
                                      "List-Unsubscribe-Post",
                                      "References",
                                      "List-Id"}));
}

TEST(DkimSign, says_what_it_signed) {
  const std::string header = "From: a@sender.example\r\nSubject: x\r\n";
  const auto field = sign(rsa_signer(), header, "body\r\n");
  ASSERT_TRUE(field) << field.error().what;
  EXPECT_TRUE(field->ends_with("\r\n"));
  const auto signature =
      DkimSignature::parse(std::string_view(*field).substr(15, field->size() - 17));
  ASSERT_TRUE(signature) << signature.error().what;
  EXPECT_EQ(signature->algorithm, DkimAlgorithm::rsa_sha256);
  EXPECT_EQ(signature->header_form, Canonicalization::relaxed);
  EXPECT_EQ(signature->body_form, Canonicalization::relaxed);
  EXPECT_EQ(signature->domain, "sender.example");
  EXPECT_EQ(signature->selector, "rsa");
  EXPECT_EQ(signature->identity, "@sender.example");
  EXPECT_FALSE(field->contains("i=@"));
  EXPECT_FALSE(signature->body_length);
  EXPECT_EQ(*signature->signed_at, now);
  EXPECT_EQ(*signature->expires_at, now + days(7));
}

TEST(DkimSign, refuses_what_no_verifier_would_accept) {
  const std::string header = "From: a@sender.example\r\n";
  const crypto::Digest hash = body_hash_of("");
  EXPECT_FALSE(dkim_sign(rsa_signer(), "Subject: x\r\n", hash, {.now = now, .expires = {}}));
  EXPECT_FALSE(dkim_sign(rsa_signer(), "", hash, {.now = now, .expires = {}}));
  EXPECT_FALSE(dkim_sign(rsa_signer(), header, hash, {.now = now, .expires = now}));
  EXPECT_FALSE(dkim_sign(signer_with(crypto::PrivateKey::generate_ec_p256(), "ec"),
                         header,
                         hash,
                         {.now = now, .expires = {}}));
  for (const auto& [domain, selector] : {std::pair{"a b", "s"}, {"", "s"}, {"a.example", ""}}) {
    const DkimSigner signer{domain, selector, rsa_signer().key};
    EXPECT_FALSE(dkim_sign(signer, header, hash, {.now = now, .expires = {}})) << domain;
  }
  std::string many = header;
  for (std::size_t i = 0; i < dkim_signed_fields_max; ++i) many += "References: <x>\r\n";
  EXPECT_FALSE(dkim_sign(rsa_signer(), many, hash, {.now = now, .expires = {}}));
}

TEST(DkimSign, prints_a_field_that_verifiers_can_read_at_the_limit_of_fields) {
  std::string header = "From: a@sender.example\r\n";
  for (std::size_t i = 0; i + 13 < dkim_signed_fields_max; ++i) {
    header += "Content-Description: x\r\n";
  }
  const auto field = sign(rsa_signer(), header, "");
  ASSERT_TRUE(field) << field.error().what;
  EXPECT_EQ(verify(*field + header, "").front().verdict, DkimVerdict::pass);
}

TEST(DkimBodyHasher, does_not_care_where_the_body_is_cut) {
  const std::string body = "a \r\n\r\n b\t c\r\n\r\n\r\nend  \r\n\r\n";
  const crypto::Digest whole = body_hash_of(body);
  for (std::size_t cut = 0; cut <= body.size(); ++cut) {
    DkimBodyHasher hasher;
    hasher.update(std::string_view(body).substr(0, cut));
    hasher.update(std::string_view(body).substr(cut));
    EXPECT_EQ(hasher.finish(), whole) << cut;
  }
}

struct RandomMessage {
  std::string header;
  std::string body;
};

RandomMessage random_message(std::mt19937& random) {
  static constexpr std::array<std::string_view, 10> pieces = {
      "a", "word", " ", "  ", "\t", ",", "<x@y>", "\xc3\xbc", "\r\n ", "=;:"};
  const auto text = [&random](std::size_t most) {
    std::string out;
    for (std::size_t count = random() % most; count > 0; --count) {
      out += pieces.at(random() % pieces.size());
    }
    return out;
  };
  RandomMessage message;
  // A line of white space alone would end the field's life as one; "x" keeps every line visible.
  for (const std::string_view name : {"Subject", "From", "To", "X-Not-Signed", "Date"}) {
    message.header += std::string(name) + ": x" + text(12) + "x\r\n";
  }
  for (std::size_t lines = random() % 6; lines > 0; --lines) message.body += text(12) + "\r\n";
  if (random() % 2 == 0) message.body += text(4);
  return message;
}

TEST(DkimSign, makes_what_verifies_whatever_the_message) {
  const unsigned seed = 20263;
  std::mt19937 random(seed);
  for (int round = 0; round < 100; ++round) {
    const RandomMessage message = random_message(random);
    std::string header = message.header;
    for (const DkimSigner* signer : {&rsa_signer(), &ed25519_signer()}) {
      const auto field = sign(*signer, message.header, message.body);
      ASSERT_TRUE(field) << field.error().what;
      header = *field + header;
    }
    const auto results = verify(header, message.body);
    ASSERT_EQ(results.size(), 2U);
    for (const DkimResult& result : results) {
      ASSERT_EQ(result.verdict, DkimVerdict::pass)
          << "seed " << seed << " round " << round << ": " << result.reason << '\n'
          << header << "\r\n"
          << message.body;
    }
  }
}

// What relaxed canonicalization leaves of the fields that are signed here.
std::string canonical_header(std::string_view header) {
  const std::vector<std::string> signed_names = dkim_signed_fields({});
  std::string out;
  for (const RawField& field : split_header_block(header)) {
    const bool is_signed = std::ranges::any_of(signed_names, [&field](const std::string& name) {
      return text::equals_ignoring_case(name, field.name);
    });
    if (!is_signed) continue;
    append_canonical_field(out, field.raw, Canonicalization::relaxed);
    out += "\r\n";
  }
  return out;
}

// Every byte of header and body changed in turn: either the canonical form is the same, or the
// signature fails.
TEST(DkimSign, makes_what_no_change_of_one_byte_survives) {
  const unsigned seed = 20264;
  std::mt19937 random(seed);
  for (int round = 0; round < 12; ++round) {
    const RandomMessage message = random_message(random);
    const auto field = sign(ed25519_signer(), message.header, message.body);
    ASSERT_TRUE(field);
    const std::string whole = message.header + message.body;
    for (std::size_t at = 0; at < whole.size(); ++at) {
      std::string header = message.header;
      std::string body = message.body;
      char& byte = at < header.size() ? header[at] : body[at - header.size()];
      byte = static_cast<char>(byte ^ (1 << (random() % 8)));
      const bool same = canonical_header(header) == canonical_header(message.header) &&
                        body_hash_of(body) == body_hash_of(message.body);
      const auto results = verify(*field + header, body);
      ASSERT_FALSE(results.empty());
      ASSERT_EQ(results.front().verdict == DkimVerdict::pass, same)
          << "seed " << seed << " round " << round << " byte " << at << ": "
          << results.front().reason;
    }
  }
}

TEST(DkimSign, lets_nobody_add_an_oversigned_field) {
  const std::string header = "From: a@sender.example\r\nTo: b@inbox.example\r\n";
  const std::string field = *sign(ed25519_signer(), header, "body\r\n");
  EXPECT_EQ(verify(field + "Received: by x\r\n" + header, "body\r\n").front().verdict,
            DkimVerdict::pass);
  for (const std::string name :
       {"From", "Subject", "To", "Cc", "Reply-To", "Date", "Content-Type", "List-Unsubscribe"}) {
    EXPECT_EQ(verify(name + ": x\r\n" + field + header, "body\r\n").front().verdict,
              DkimVerdict::fail)
        << name;
    EXPECT_EQ(verify(field + header + name + ": x\r\n", "body\r\n").front().verdict,
              DkimVerdict::fail)
        << name;
  }
}

TEST(DkimSign, makes_what_no_changed_byte_of_the_signature_field_survives) {
  const std::string header = "From: a@sender.example\r\n";
  const std::string field = *sign(ed25519_signer(), header, "body\r\n");
  int passed = 0;
  for (std::size_t at = 0; at < field.size() - 2; ++at) {
    std::string changed = field;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    const auto results = verify(changed + header, "body\r\n");
    const bool pass = !results.empty() && results.front().verdict == DkimVerdict::pass;
    // Letter case of the name, and white space as relaxed canonicalization has it, may change.
    std::string before;
    std::string after;
    append_canonical_field(before, field.substr(0, field.find("\tb=")), Canonicalization::relaxed);
    append_canonical_field(after, changed.substr(0, field.find("\tb=")), Canonicalization::relaxed);
    if (pass) {
      ++passed;
      EXPECT_EQ(before, after) << at;
    }
  }
  EXPECT_LT(passed, 12);
}

}  // namespace
}  // namespace tapal::mailauth
