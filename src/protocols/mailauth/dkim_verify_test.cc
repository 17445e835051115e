#include "protocols/mailauth/dkim_verify.h"

#include <array>

#include <gtest/gtest.h>

#include "protocols/mailauth/header_block.h"
#include "protocols/mailauth/test_key_zone.h"
#include "values/text/base64.h"

namespace tapal::mailauth {
namespace {

using std::chrono::seconds;

constexpr WallTime now{seconds(1'800'000'000)};
const std::string header = "From: a@mail.sender.example\r\nSubject:  hello \r\nTo: b@x.example\r\n";
const std::string body = "Hello  there \r\n\r\nEnd\r\n\r\n";

const crypto::PrivateKey& rsa_key() {
  static const auto key = crypto::PrivateKey::generate_rsa(1024);
  return *key;
}
const crypto::PrivateKey& ed25519_key() {
  static const auto key = crypto::PrivateKey::generate_ed25519();
  return *key;
}
std::string record_of(const crypto::PrivateKey& key) { return DkimKeyRecord::for_key(key)->text(); }

struct Hashing final : BodySink {
  void write(std::string_view bytes) override { text += bytes; }
  std::string text;
};

std::string canonical_body(std::string_view text, Canonicalization form) {
  Hashing out;
  BodyCanonicalizer canonicalizer(form);
  canonicalizer.update(text, out);
  canonicalizer.finish(out);
  return out.text;
}

// What to sign: `tags` are all but bh= and b=, as text; they may say anything. c=, h= and l= of
// the tags must agree with the rest here for the signature to be good.
struct Sealing {
  std::string tags =
      "v=1; a=rsa-sha256; c=relaxed/relaxed; d=sender.example; s=sel; h=From:Subject";
  std::vector<std::string> fields = {"From", "Subject"};
  Canonicalization header_form = Canonicalization::relaxed;
  Canonicalization body_form = Canonicalization::relaxed;
  std::size_t body_length = std::string::npos;
  const crypto::PrivateKey* key = &rsa_key();
};

std::string seal(const Sealing& sealing,
                 std::string_view signed_header = header,
                 std::string_view signed_body = body) {
  const std::string prefix =
      canonical_body(signed_body, sealing.body_form).substr(0, sealing.body_length);
  const std::string field = "DKIM-Signature: " + sealing.tags + ";\r\n bh=" +
                            text::to_base64(crypto::bytes_of(crypto::sha256(prefix))) + ";\r\n b=";
  const auto fields = split_header_block(signed_header);
  const FieldIndex index(fields);
  FieldPicker picker(index);
  std::string canonical;
  for (const std::string& name : sealing.fields) {
    if (const RawField* picked = picker.pick(name); picked != nullptr) {
      append_canonical_field(canonical, picked->raw, sealing.header_form);
      canonical += "\r\n";
    }
  }
  append_canonical_field(canonical, field, sealing.header_form);
  return field + text::to_base64(sealing.key->sign(crypto::sha256(canonical)).value()) + "\r\n";
}

std::string tags_with(std::string_view more) { return Sealing{}.tags + "; " + std::string(more); }

using Status = dns::LookupReply::Status;

struct Delivered {
  std::string header_block;
  std::string text = body;
  dns::LookupReply reply = texts_reply({record_of(rsa_key())});  // to every question
  WallTime time = now;
};

std::vector<DkimResult> check(const Delivered& delivered) {
  SignedMessage message(delivered.header_block);
  DkimVerifier verifier(message);
  message.on_body(delivered.text);
  while (message.next_lookup()) message.on_reply(delivered.reply);
  return verifier.results(delivered.time);
}

struct RuleCase {
  std::string name;
  Sealing sealing;
  DkimVerdict verdict = DkimVerdict::pass;
  std::string reason;  // part of it
};

TEST(DkimVerifier, judges_signatures_by_their_tags) {
  constexpr auto pass = DkimVerdict::pass;
  constexpr auto permerror = DkimVerdict::permerror;
  const std::array cases = {
      RuleCase{"plain", {}, pass, ""},
      RuleCase{"unknown tag", {.tags = tags_with("zebra=1")}, pass, ""},
      RuleCase{"tag twice", {.tags = tags_with("d=sender.example")}, permerror, "twice"},
      RuleCase{"identity below", {.tags = tags_with("i=a@mail.sender.example")}, pass, ""},
      RuleCase{"identity elsewhere", {.tags = tags_with("i=a@x.example")}, permerror, "within d="},
      RuleCase{"signed just now", {.tags = tags_with("t=1800000000")}, pass, ""},
      RuleCase{"clock a little ahead", {.tags = tags_with("t=1800000300")}, pass, ""},
      RuleCase{"in the future", {.tags = tags_with("t=1800000301")}, DkimVerdict::policy, "future"},
      RuleCase{"not yet expired", {.tags = tags_with("x=1800000000")}, pass, ""},
      RuleCase{"expired", {.tags = tags_with("x=1799999999")}, DkimVerdict::fail, "expired"},
      RuleCase{"never expires", {.tags = tags_with("x=99999999999999999999")}, pass, ""},
      RuleCase{"whole length", {.tags = tags_with("l=20"), .body_length = 20}, pass, ""},
      RuleCase{"part of the length",
               {.tags = tags_with("l=5"), .body_length = 5},
               DkimVerdict::neutral,
               "15 bytes"},
      RuleCase{"no length",
               {.tags = tags_with("l=0"), .body_length = 0},
               DkimVerdict::neutral,
               "20 bytes"},
      RuleCase{"longer than the body", {.tags = tags_with("l=21")}, permerror, "longer"},
      RuleCase{"length of other bytes",
               {.tags = tags_with("l=5"), .body_length = 4},
               DkimVerdict::fail,
               "body"},
      RuleCase{"another key",
               {.key =
                    [] {
                      static const auto other = crypto::PrivateKey::generate_rsa(1024);
                      return &*other;
                    }()},
               DkimVerdict::fail,
               "does not fit"},
      RuleCase{"rsa-sha1",
               {.tags = "v=1; a=rsa-sha1; d=sender.example; s=sel; h=From"},
               permerror,
               "RFC 8301"},
      RuleCase{"another algorithm than the key's",
               {.tags = "v=1; a=ed25519-sha256; d=sender.example; s=sel; h=From"},
               permerror,
               "another kind"},
      RuleCase{"copied header fields",
               {.tags = tags_with("z=From:x@y|Subject:=20z|" + std::string(20'000, 'a'))},
               pass,
               ""},
      RuleCase{"another way to the key, too", {.tags = tags_with("q=x:dns/txt")}, pass, ""},
      RuleCase{"only another way", {.tags = tags_with("q=http")}, permerror, "q="},
      RuleCase{"a field listed often and one that is not there",
               {.tags = "v=1; a=rsa-sha256; c=relaxed/relaxed; d=sender.example; s=sel; "
                        "h=From : from:X-Absent\r\n\t:Subject:FROM"},
               pass,
               ""},
      RuleCase{"x= before t=", {.tags = tags_with("t=1799999999; x=1799999998")}, permerror, "x="},
      RuleCase{"upper case",
               {.tags = "v=1; a=RSA-SHA256; c=Relaxed/RELAXED; d=SENDER.example; "
                        "s=SEL; h=from:SUBJECT"},
               pass,
               ""},
      RuleCase{"tag name of another case",
               {.tags = "V=1; a=rsa-sha256; d=sender.example; s=sel; h=From"},
               permerror,
               "no v= tag"},
      RuleCase{"no From",
               {.tags = "v=1; a=rsa-sha256; d=sender.example; s=sel; h=To"},
               permerror,
               "From is not signed"},
  };
  for (const RuleCase& c : cases) {
    const auto results = check({.header_block = seal(c.sealing) + header});
    ASSERT_EQ(results.size(), 1U) << c.name;
    EXPECT_EQ(results[0].verdict, c.verdict) << c.name << ": " << results[0].reason;
    EXPECT_TRUE(results[0].reason.contains(c.reason)) << c.name << ": " << results[0].reason;
    const std::string domain = c.name == "tag twice" ? "" : "sender.example";
    EXPECT_EQ(results[0].domain, domain) << c.name;
  }
}

struct KeyCase {
  std::string name;
  dns::LookupReply reply;
  DkimVerdict verdict = DkimVerdict::permerror;
  std::string reason;
};

TEST(DkimVerifier, judges_the_key_record) {
  constexpr auto pass = DkimVerdict::pass;
  constexpr auto permerror = DkimVerdict::permerror;
  const std::string good = record_of(rsa_key());
  const std::string p = good.substr(good.find("p="));
  const std::string small =
      "p=MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBANmBe10IgY+u7h3enWTukkqtUD5PR52T"
      "b/mPfjC0QJTocVBq6Za/PlzfV+Py92VaCak19F4WrbVTK5Gg5tW220MCAwEAAQ==";
  const std::array cases = {
      KeyCase{"good", texts_reply({good}), pass, ""},
      KeyCase{"bare RSAPublicKey",
              texts_reply({"p=" + text::to_base64(rsa_key().public_key_der().substr(22))}),
              pass,
              ""},
      KeyCase{"no name", {Status::no_such_name, {}}, permerror, "no key at sel._domainkey"},
      KeyCase{"no records", {Status::no_data, {}}, permerror, "no key at"},
      KeyCase{"no answer now", {Status::failed, {}}, DkimVerdict::temperror, "looked up"},
      KeyCase{"revoked", texts_reply({"v=DKIM1; p="}), permerror, "revoked"},
      KeyCase{"malformed", texts_reply({"v=DKIM1; p=!"}), permerror, "malformed key record"},
      KeyCase{"too small", texts_reply({small}), permerror, "too small"},
      KeyCase{"wrong type", texts_reply({record_of(ed25519_key())}), permerror, "another kind"},
      KeyCase{"unknown type", texts_reply({"k=dsa; " + p}), permerror, "unknown key type"},
      KeyCase{"for mail", texts_reply({"s=x:email; " + p}), pass, ""},
      KeyCase{"for all", texts_reply({"s=*; " + p}), pass, ""},
      KeyCase{"not for mail", texts_reply({"s=tlsrpt; " + p}), permerror, "not for mail"},
      KeyCase{"sha256", texts_reply({"h=sha1:sha256; " + p}), pass, ""},
      KeyCase{"sha1 only", texts_reply({"h=sha1; " + p}), permerror, "does not allow"},
      KeyCase{"strict", texts_reply({"t=s; " + p}), permerror, "subdomains"},
      KeyCase{"testing", texts_reply({"t=y; " + p}), pass, ""},
      KeyCase{"the second fits", texts_reply({"v=spf1 -all", good}), pass, ""},
      KeyCase{"the fourth fits", texts_reply({"a=1", "b=2", "p=", good}), pass, ""},
      KeyCase{"the fifth is not tried",
              texts_reply({"a=1", "b=2", "c=3", "p=", good}),
              permerror,
              "malformed"},
  };
  const std::string signature = seal({.tags = tags_with("i=a@mail.sender.example")});
  for (const KeyCase& c : cases) {
    const auto results = check({.header_block = signature + header, .reply = c.reply});
    ASSERT_EQ(results.size(), 1U) << c.name;
    EXPECT_EQ(results[0].verdict, c.verdict) << c.name << ": " << results[0].reason;
    EXPECT_TRUE(results[0].reason.contains(c.reason)) << c.name << ": " << results[0].reason;
    EXPECT_EQ(results[0].key_testing, c.name == "testing") << c.name;
    EXPECT_EQ(results[0].key_bits, c.verdict == pass ? 1024 : 0) << c.name;
  }
}

TEST(DkimVerifier, accepts_a_strict_key_for_its_own_domain) {
  const std::string good = record_of(rsa_key());
  const std::string strict = "t=s; " + good.substr(good.find("p="));
  EXPECT_EQ(
      check({.header_block = seal({}) + header, .reply = texts_reply({strict})}).front().verdict,
      DkimVerdict::pass);
}

struct ChangeCase {
  std::string name;
  std::string header_block;
  std::string text;
  bool relaxed_passes = false;
  bool simple_passes = false;
};

TEST(DkimVerifier, forgives_what_the_canonical_form_forgives) {
  const std::array cases = {
      ChangeCase{"nothing", header, body, true, true},
      ChangeCase{"empty lines at the end", header, body + "\r\n\r\n", true, true},
      ChangeCase{"no empty line at the end", header, body.substr(0, body.size() - 2), true, true},
      ChangeCase{"no line end at the end", header, body.substr(0, body.size() - 4), true, true},
      ChangeCase{"white space in the body", header, "Hello\t there\r\n \r\nEnd \r\n", true, false},
      ChangeCase{"case of a field name",
                 "FROM: a@mail.sender.example\r\nSubject:  hello \r\n",
                 body,
                 true,
                 false},
      ChangeCase{
          "folding", "From:\r\n a@mail.sender.example\r\nSubject: hello\r\n", body, true, false},
      ChangeCase{"an unsigned field", "X: y\r\n" + header, body, true, true},
      ChangeCase{"case of a word", header, "hello  there \r\n\r\nEnd\r\n", false, false},
      ChangeCase{"a word in the header",
                 "From: a@mail.sender.example\r\nSubject:  hullo \r\n",
                 body,
                 false,
                 false},
      ChangeCase{"a field that is gone", "From: a@mail.sender.example\r\n", body, false, false},
      ChangeCase{
          "a lower field of the same name", header + "From: c@x.example\r\n", body, false, false},
      ChangeCase{"no body", header, "", false, false},
  };
  const std::string relaxed = seal({});
  const std::string simple =
      seal({.tags = "v=1; a=rsa-sha256; d=sender.example; s=sel;\r\n\th = From : Subject",
            .header_form = Canonicalization::simple,
            .body_form = Canonicalization::simple});
  for (const ChangeCase& c : cases) {
    const auto results = check({.header_block = relaxed + simple + c.header_block, .text = c.text});
    ASSERT_EQ(results.size(), 2U) << c.name;
    for (const auto& [result, passes] :
         {std::pair{results[0], c.relaxed_passes}, {results[1], c.simple_passes}}) {
      EXPECT_EQ(result.verdict, passes ? DkimVerdict::pass : DkimVerdict::fail)
          << c.name << ": " << result.reason;
    }
  }
}

TEST(DkimVerifier, empties_the_signature_wherever_it_stands) {
  const std::string whole = seal({});
  const std::size_t hash = whole.find(" bh=");
  // With b= before bh=, folded, and another order of white space: simple header form covers it all.
  const std::string front = "DKIM-Signature: v=1; a=rsa-sha256; b =";
  const std::string back = "; d=sender.example; s=sel;\r\n h=From; c=simple/relaxed;" +
                           whole.substr(hash, whole.find(';', hash) - hash) + " ;";
  const std::string canonical = "From: a@mail.sender.example\r\n" + front + back;
  const std::string value = text::to_base64(*rsa_key().sign(crypto::sha256(canonical)));
  const std::string field =
      front + " " + value.substr(0, 40) + "\r\n\t" + value.substr(40) + " " + back + "\r\n";
  const auto results = check({.header_block = field + header});
  ASSERT_EQ(results.size(), 1U);
  EXPECT_EQ(results[0].verdict, DkimVerdict::pass) << results[0].reason;
}

TEST(DkimVerifier, reads_a_signature_that_lacks_its_padding) {
  std::string signature = seal({});
  for (std::size_t at = signature.find("=;"); at != std::string::npos; at = signature.find("=;")) {
    signature.erase(at, 1);  // of bh=, which is covered: signed anew below
  }
  const std::string whole = signature.substr(0, signature.find(" b=") + 3);
  std::string canonical = "from:a@mail.sender.example\r\nsubject:hello\r\n";
  append_canonical_field(canonical, whole, Canonicalization::relaxed);
  std::string value = text::to_base64(*rsa_key().sign(crypto::sha256(canonical)));
  while (value.ends_with('=')) value.pop_back();
  const auto results = check({.header_block = whole + value + "\r\n" + header});
  EXPECT_EQ(results.front().verdict, DkimVerdict::pass) << results.front().reason;
}

TEST(DkimVerifier, checks_a_message_without_a_body) {
  EXPECT_EQ(check({.header_block = seal({}, header, "") + header, .text = ""}).front().verdict,
            DkimVerdict::pass);
}

TEST(DkimVerifier, checks_a_header_with_eight_bit_text) {
  const std::string eight_bit = "From: J\xc3\xb6 <a@b>\r\nSubject: \xff\xfe  x\r\n";
  const std::string signature = seal({}, eight_bit);
  EXPECT_EQ(check({.header_block = signature + eight_bit}).front().verdict, DkimVerdict::pass);
}

TEST(DkimVerifier, asks_by_the_a_label_of_a_utf8_domain) {
  Sealing sealing;
  sealing.tags =
      "v=1; a=rsa-sha256; c=relaxed/relaxed; d=b\xc3\xbc"
      "cher.example; s=sel; "
      "h=From:Subject; i=\xc3\xbc@b\xc3\xbc"
      "cher.example";
  const std::string signature = seal(sealing);
  SignedMessage message(signature + header);
  const DkimVerifier verifier(message);
  EXPECT_EQ(KeyZone{}.answer(message),
            std::vector<std::string>{"sel._domainkey.xn--bcher-kva.example"});
  const auto results = check({.header_block = signature + header});
  EXPECT_EQ(results.front().verdict, DkimVerdict::pass) << results.front().reason;
  EXPECT_EQ(results.front().domain, "xn--bcher-kva.example");
}

TEST(DkimVerifier, asks_for_each_name_once_and_never_for_a_malformed_signature) {
  const std::string other = seal(
      {.tags = "v=1; a=ed25519-sha256; c=relaxed/relaxed; d=sender.example; s=ed; h=From:Subject",
       .key = &ed25519_key()});
  const std::string bad = "DKIM-Signature: v=2; d=bad.example; s=sel\r\n";
  SignedMessage message(seal({}) + bad + other + seal({}) + header);
  DkimVerifier verifier(message);
  KeyZone zone;
  zone.add("ed._domainkey.sender.example", record_of(ed25519_key()));
  zone.add("sel._domainkey.sender.example", record_of(rsa_key()));
  EXPECT_EQ(
      zone.answer(message),
      (std::vector<std::string>{"sel._domainkey.sender.example", "ed._domainkey.sender.example"}));
  for (const char byte : body) message.on_body({&byte, 1});
  const auto results = verifier.results(now);
  ASSERT_EQ(results.size(), 4U);
  EXPECT_EQ(results[0].verdict, DkimVerdict::pass);
  EXPECT_EQ(results[0].key_bits, 1024);
  EXPECT_EQ(results[0].algorithm, "rsa-sha256");
  EXPECT_EQ(results[0].signed_fields, (std::vector<std::string>{"From", "Subject"}));
  EXPECT_EQ(results[1].verdict, DkimVerdict::permerror);
  EXPECT_EQ(results[1].domain, "bad.example");
  EXPECT_EQ(results[2].verdict, DkimVerdict::pass);
  EXPECT_EQ(results[2].key_bits, 256);
  EXPECT_EQ(results[2].identity, "@sender.example");
  EXPECT_EQ(results[3].verdict, DkimVerdict::pass);
  EXPECT_EQ(overall_verdict(results), DkimVerdict::pass);
}

TEST(DkimVerifier, calls_a_question_nobody_answered_temporary) {
  SignedMessage message(seal({}) + header);
  DkimVerifier verifier(message);
  message.on_body(body);
  EXPECT_EQ(verifier.results(now).front().verdict, DkimVerdict::temperror);
}

TEST(DkimVerifier, has_no_results_for_an_unsigned_message) {
  const auto results = check({.header_block = header});
  EXPECT_TRUE(results.empty());
  EXPECT_EQ(overall_verdict(results), DkimVerdict::none);
}

TEST(DkimVerifier, checks_ten_signatures_and_no_more) {
  std::string signatures;
  for (int i = 0; i < 12; ++i) signatures += seal({});
  const auto results = check({.header_block = signatures + header});
  ASSERT_EQ(results.size(), 11U);
  EXPECT_EQ(results[9].verdict, DkimVerdict::pass);
  EXPECT_EQ(results[10].verdict, DkimVerdict::policy);
  EXPECT_TRUE(results[10].reason.contains("2 more")) << results[10].reason;
}

TEST(DkimVerifier, does_not_read_headers_over_its_limits) {
  for (const SignedMessageLimits& limits : {SignedMessageLimits{.header_bytes_max = 100},
                                            SignedMessageLimits{.header_fields_max = 3}}) {
    SignedMessage message(seal({}) + header, limits);
    DkimVerifier verifier(message);
    EXPECT_FALSE(message.next_lookup());
    const auto results = verifier.results(now);
    ASSERT_EQ(results.size(), 1U);
    EXPECT_EQ(results[0].verdict, DkimVerdict::policy);
  }
}

TEST(DkimVerifier, never_signs_a_signature_with_itself) {
  // h= may list DKIM-Signature, meaning others (RFC 6376 section 5.4); here there is none.
  Sealing sealing;
  sealing.tags += ":DKIM-Signature";
  EXPECT_EQ(check({.header_block = seal(sealing) + header}).front().verdict, DkimVerdict::pass);
}

TEST(DkimVerdict, has_the_words_of_rfc_8601) {
  EXPECT_EQ(dkim_verdict_text(DkimVerdict::none), "none");
  EXPECT_EQ(dkim_verdict_text(DkimVerdict::pass), "pass");
  EXPECT_EQ(dkim_verdict_text(DkimVerdict::fail), "fail");
  EXPECT_EQ(dkim_verdict_text(DkimVerdict::policy), "policy");
  EXPECT_EQ(dkim_verdict_text(DkimVerdict::neutral), "neutral");
  EXPECT_EQ(dkim_verdict_text(DkimVerdict::temperror), "temperror");
  EXPECT_EQ(dkim_verdict_text(DkimVerdict::permerror), "permerror");
}

}  // namespace
}  // namespace tapal::mailauth
