#include "protocols/mailauth/arc_verify.h"

#include <array>
#include <random>

#include <gtest/gtest.h>

#include "protocols/mailauth/dkim_verify.h"
#include "protocols/mailauth/test_arc.h"
#include "values/text/ascii.h"

namespace tapal::mailauth {
namespace {

using namespace test_arc;
using std::chrono::hours;
using std::chrono::seconds;

TEST(ArcVerifier, passes_chains_of_any_length_up_to_50) {
  for (const int hops : {1, 2, 3, 50}) {
    const auto result = verify(chain_of(hops));
    EXPECT_EQ(result.status, ArcStatus::pass) << hops << ": " << result.reason;
    EXPECT_EQ(result.reason, "");
    EXPECT_EQ(result.oldest_pass, 0);
    ASSERT_EQ(result.hops.size(), static_cast<std::size_t>(hops));
    EXPECT_EQ(result.hops.front().chain, ArcStatus::none);
    EXPECT_EQ(result.hops.back().instance, hops);
    EXPECT_EQ(result.hops.back().domain, fmt::format("hop{}.example", hops));
    EXPECT_EQ(result.hops.back().selector, "s");
    EXPECT_EQ(result.hops.back().results, fmt::format("hop{}.example; spf=pass", hops));
  }
}

TEST(ArcVerifier, finds_none_without_arc_fields) {
  const auto result = verify(header);
  EXPECT_EQ(result.status, ArcStatus::none);
  EXPECT_EQ(result.reason, "");
  EXPECT_TRUE(result.hops.empty());
}

struct RuleCase {
  std::string name;
  OddSet set;
  std::string trouble;  // part of it; empty: it passes
};

OddSet with_message(std::string_view what, std::string_view instead) {
  OddSet set;
  set.message = put(set.message, what, instead);
  return set;
}
OddSet with_seal(std::string_view what, std::string_view instead) {
  OddSet set;
  set.seal = put(set.seal, what, instead);
  return set;
}
OddSet with_results(std::string results) { return {.results = std::move(results)}; }

void check(const RuleCase& c) {
  const auto result = verify(with_odd_set(c.set));
  EXPECT_EQ(result.status, c.trouble.empty() ? ArcStatus::pass : ArcStatus::fail)
      << c.name << ": " << result.reason;
  EXPECT_TRUE(result.reason.contains(c.trouble)) << c.name << ": " << result.reason;
}

TEST(ArcVerifier, judges_the_message_signature_by_its_tags) {
  OddSet part = with_message("h=", "l=5; h=");
  part.body_length = 5;
  OddSet all = with_message("h=", "l=20; h=");
  all.body_length = 20;
  for (const RuleCase& c : {
           RuleCase{"plain", {}, ""},
           RuleCase{"v= is ignored", with_message("i=1", "v=2; i=1"), ""},
           RuleCase{"unknown tag", with_message("i=1", "zebra=2; i=1"), ""},
           RuleCase{"i= of two digits", with_message("i=1", "i=01"), ""},
           RuleCase{"white space", with_message("i=1; a=", "i\t=\r\n 1  ; a = "), ""},
           RuleCase{"no c=", with_message("c=relaxed/relaxed; ", ""), ""},
           RuleCase{"no t=", with_message("t=1800000000; ", ""), ""},
           RuleCase{"final semicolon", with_message("b=%b", "b=%b;"), ""},
           RuleCase{"other results fields signed", with_message("Subject;", "Subject:ARC-X;"), ""},
           RuleCase{"no i=", with_message("i=1; ", ""), "i= is not 1 to 50"},
           RuleCase{"i= empty", with_message("i=1", "i="), "i= is not 1 to 50"},
           RuleCase{"i= zero", with_message("i=1", "i=0"), "i= is not 1 to 50"},
           RuleCase{"i= 51", with_message("i=1", "i=51"), "i= is not 1 to 50"},
           RuleCase{"i= no number", with_message("i=1", "i=a@b"), "i= is not 1 to 50"},
           RuleCase{"i= of another set", with_message("i=1", "i=2"), "no ARC-Message-Signature"},
           RuleCase{"no a=", with_message("a=rsa-sha256; ", ""), "no a= tag"},
           RuleCase{"sha1", with_message("sha256", "sha1"), "RFC 8301"},
           RuleCase{"unknown a=", with_message("rsa-", "dsa-"), "unknown algorithm"},
           RuleCase{"no d=", with_message("d=a.example; ", ""), "no d= tag"},
           RuleCase{"d= empty", with_message("d=a.example", "d="), "an empty d= tag"},
           RuleCase{"d= elsewhere", with_message("d=a.", "d=b."), "no key at"},
           RuleCase{"no s=", with_message("s=rsa; ", ""), "no s= tag"},
           RuleCase{"s= elsewhere", with_message("s=rsa", "s=x"), "no key at"},
           RuleCase{"no h=", with_message("h=From:Subject; ", ""), "no h= tag"},
           RuleCase{"From not signed", with_message("h=From:", "h="), "From is not signed"},
           RuleCase{"signs seals", with_message("Subject;", "Subject:arc-seal;"), "ARC-Seal"},
           RuleCase{"no bh=", with_message("bh=%h; ", ""), "no bh= tag"},
           RuleCase{"bh= of another body",
                    with_message("bh=%h", "bh=" + std::string(43, 'A') + "="),
                    "the body has changed"},
           RuleCase{"no b=", with_message("; b=%b", ""), "no b= tag"},
           RuleCase{"b= empty", with_message("b=%b", "b="), "empty b="},
           RuleCase{"b= of something else", with_message("b=%b", "b=aaaa"), "does not fit"},
           RuleCase{"unknown c=", with_message("c=relaxed/", "c=lax/"), "unknown canonical"},
           RuleCase{"t= no number", with_message("t=1800000000", "t=x"), "t= is no number"},
           RuleCase{"a clock half a day ahead", with_message("t=1800000000", "t=1800043200"), ""},
           RuleCase{"twice a tag", with_message("h=", "d=a.example; h="), "twice"},
           RuleCase{"no tag list", with_message("h=", "=; h="), "bad tag name"},
           RuleCase{"expired", with_message("t=1800000000", "x=1799999999"), "expired"},
           RuleCase{"not expired", with_message("t=1800000000", "x=1800000001"), ""},
           RuleCase{"the whole length", all, ""},
           RuleCase{"part of the length", part, "l= leaves 15 bytes"},
           RuleCase{"too long", with_message("h=", "l=21; h="), "longer than the body"},
       }) {
    check(c);
  }
}

TEST(ArcVerifier, judges_the_seal_by_its_tags) {
  for (const RuleCase& c : {
           RuleCase{"v= is ignored", with_seal("i=1", "v=2; i=1"), ""},
           RuleCase{"unknown tags", with_seal("i=1", "c=relaxed/simple; bh=x; i=1"), ""},
           RuleCase{"no t=", with_seal("t=1800000000; ", ""), ""},
           RuleCase{"final semicolon", with_seal("b=%b", "b=%b ; "), ""},
           RuleCase{"letter case of cv=", with_seal("cv=none", "cv=NONE"), ""},
           RuleCase{"a signature in front",
                    with_seal("i=1; a=rsa-sha256; cv=none; d=a.example; "
                              "s=rsa; t=1800000000; b=%b",
                              "b=%b; i=1; a=rsa-sha256; cv=none; "
                              "d=a.example; s=rsa"),
                    ""},
           RuleCase{"h=", with_seal("i=1", "h=From; i=1"), "an h= tag"},
           RuleCase{"another form", with_seal("i=1", "c=simple; i=1"), "c= is not relaxed"},
           RuleCase{"no i=", with_seal("i=1; ", ""), "i= is not 1 to 50"},
           RuleCase{"i= three digits", with_seal("i=1", "i=001"), "i= is not 1 to 50"},
           RuleCase{"i= of another set", with_seal("i=1", "i=2"), "no ARC-Seal field with i=1"},
           RuleCase{"no a=", with_seal("a=rsa-sha256; ", ""), "no a= tag"},
           RuleCase{"sha1", with_seal("sha256", "sha1"), "RFC 8301"},
           RuleCase{"another algorithm", with_seal("rsa-", "ed25519-"), "another kind"},
           RuleCase{"no cv=", with_seal("cv=none; ", ""), "cv= is not"},
           RuleCase{"cv= empty", with_seal("cv=none", "cv="), "cv= is not"},
           RuleCase{"cv= unknown", with_seal("cv=none", "cv=maybe"), "cv= is not"},
           RuleCase{"cv= pass of the first", with_seal("cv=none", "cv=pass"), "says cv=pass"},
           RuleCase{"cv= fail", with_seal("cv=none", "cv=fail"), "the chain had failed"},
           RuleCase{"no d=", with_seal("d=a.example; ", ""), "no d= tag"},
           RuleCase{"d= no domain", with_seal("d=a.example", "d=a..example"), "no domain name"},
           RuleCase{"no s=", with_seal("s=rsa; ", ""), "no s= tag"},
           RuleCase{"s= elsewhere", with_seal("s=rsa", "s=x"), "no key at"},
           RuleCase{"no b=", with_seal("; b=%b", ""), "no b= tag"},
           RuleCase{"b= no base64", with_seal("b=%b", "b=*"), "not base64"},
           RuleCase{"b= of something else", with_seal("b=%b", "b=aaaa"), "does not fit"},
           RuleCase{"t= no number", with_seal("t=1800000000", "t="), "t= is no number"},
           RuleCase{"in the future", with_seal("t=1800000000", "t=1800086401"), "in the future"},
           RuleCase{"twice a tag", with_seal("s=rsa", "s=rsa; s=rsa"), "twice"},
       }) {
    check(c);
  }
}

TEST(ArcVerifier, places_the_results_by_their_instance) {
  for (const RuleCase& c : {
           RuleCase{"white space", with_results(" \r\n i = 1 ;a; spf=pass"), ""},
           RuleCase{"two digits", with_results("i=01; a; spf=pass"), ""},
           RuleCase{"nothing behind", with_results("i=1"), ""},
           RuleCase{"not at the front", with_results("a; spf=pass; i=1"), ""},
           RuleCase{"no instance", with_results("a; spf=pass header.i=1"), "i= is not 1 to 50"},
           RuleCase{"zero", with_results("i=0; a"), "i= is not 1 to 50"},
           RuleCase{"another", with_results("i=2; a"), "no ARC-Authentication-Results"},
       }) {
    check(c);
  }
}

// The 3 fields of each of the 3 sets, with their ends, and the rest of the header.
std::vector<std::string> pieces_of(const std::string& header_block) {
  std::vector<std::string> pieces;
  for (const RawField& field : split_header_block(header_block)) {
    pieces.push_back(std::string(field.raw) + "\r\n");
  }
  return pieces;
}

std::string joined(const std::vector<std::string>& pieces) {
  std::string text;
  for (const std::string& piece : pieces) text += piece;
  return text;
}

TEST(ArcVerifier, wants_every_set_whole_and_once) {
  const auto pieces = pieces_of(chain_of(3));
  for (std::size_t i = 0; i < 9; ++i) {
    auto without = pieces;
    without.erase(without.begin() + static_cast<std::ptrdiff_t>(i));
    const auto lacking = verify(joined(without));
    EXPECT_EQ(lacking.status, ArcStatus::fail) << pieces[i];
    const std::string name = pieces[i].substr(0, pieces[i].find(':'));
    EXPECT_EQ(lacking.reason, fmt::format("no {} field with i={}", name, 3 - i / 3));
    auto twice = pieces;
    twice.push_back(pieces[i]);
    const auto doubled = verify(joined(twice));
    EXPECT_EQ(doubled.status, ArcStatus::fail) << pieces[i];
    EXPECT_EQ(doubled.reason, fmt::format("more than one {} field with i={}", name, 3 - i / 3));
  }
  for (std::ptrdiff_t set = 1; set < 3; ++set) {
    auto without = pieces;
    without.erase(without.begin() + 3 * set, without.begin() + 3 * set + 3);
    EXPECT_EQ(verify(joined(without)).reason, fmt::format("no ARC set with i={}", 3 - set));
  }
}

TEST(ArcVerifier, does_not_care_in_what_order_the_fields_stand) {
  auto pieces = pieces_of(chain_of(3));
  std::mt19937 random(8617);
  for (int round = 0; round < 20; ++round) {
    std::ranges::shuffle(pieces, random);
    const auto result = verify(joined(pieces));
    EXPECT_EQ(result.status, ArcStatus::pass) << result.reason;
  }
}

TEST(ArcVerifier, asks_for_nothing_when_there_is_no_chain_to_check) {
  auto pieces = pieces_of(chain_of(3));
  pieces.erase(pieces.begin() + 4);
  SignedMessage message(joined(pieces));
  const ArcVerifier verifier(message);
  EXPECT_FALSE(message.next_lookup());
}

TEST(ArcVerifier, reads_no_more_than_50_sets_however_many_there_are) {
  std::string many = chain_of(50);
  for (int i = 0; i < 200; ++i) many += "ARC-Seal: i=51; a=b\r\nARC-Seal: i=7\r\n";
  const auto result = verify(many);
  EXPECT_EQ(result.status, ArcStatus::fail);
  EXPECT_LE(result.hops.size(), 50U);
}

TEST(ArcVerifier, tells_from_where_on_message_signatures_are_good) {
  const std::string changed = "another body\r\n";
  std::string block = chain_of(2);
  block.insert(0, *seal(3, block, ArcStatus::pass, changed));
  EXPECT_EQ(verify(block, changed).oldest_pass, 3);
  block.insert(0, *seal(4, block, ArcStatus::pass, changed));
  const auto result = verify(block, changed);
  EXPECT_EQ(result.status, ArcStatus::pass) << result.reason;
  EXPECT_EQ(result.oldest_pass, 3);
  EXPECT_EQ(verify(block).status, ArcStatus::fail);
  EXPECT_EQ(verify(block).reason, "ARC-Message-Signature with i=4: the body has changed");
}

TEST(ArcVerifier, looks_up_no_key_only_to_check_an_older_message_signature) {
  OddSet odd;
  odd.message = put(odd.message, "d=a.", "d=other.");
  std::string block = with_odd_set(odd);
  block.insert(0, *seal(2, block, ArcStatus::pass));
  KeyZone keys = zone();
  keys.add("rsa._domainkey.other.example", DkimKeyRecord::for_key(rsa_key())->text());
  SignedMessage message(block);
  const ArcVerifier verifier(message);
  EXPECT_EQ(keys.answer(message),
            (std::vector<std::string>{"s._domainkey.hop2.example", "rsa._domainkey.a.example"}));
  message.on_body(body);
  const auto result = verifier.result(now);
  EXPECT_EQ(result.status, ArcStatus::pass) << result.reason;
  EXPECT_EQ(result.oldest_pass, 2);
}

TEST(ArcVerifier, calls_every_failure_of_dns_a_fail) {
  using Status = dns::LookupReply::Status;
  const std::string block = chain_of(2);
  for (const Status status : {Status::failed, Status::no_data, Status::no_such_name}) {
    KeyZone keys = zone();
    keys.replies["s._domainkey.hop1.example"] = {status, {}};
    const auto result = verify(block, body, keys);
    EXPECT_EQ(result.status, ArcStatus::fail);
    EXPECT_TRUE(result.reason.starts_with("ARC-Seal with i=1: ")) << result.reason;
  }
  SignedMessage unanswered(block);
  EXPECT_EQ(ArcVerifier(unanswered).result(now).status, ArcStatus::fail);
  const std::string small =
      "p=MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBANmBe10IgY+u7h3enWTukkqtUD5PR52T"
      "b/mPfjC0QJTocVBq6Za/PlzfV+Py92VaCak19F4WrbVTK5Gg5tW220MCAwEAAQ==";
  KeyZone keys;
  keys.add("rsa._domainkey.a.example", small);
  EXPECT_TRUE(verify(with_odd_set({}), body, keys).reason.contains("too small"));
}

TEST(ArcVerifier, shares_keys_and_body_with_dkim) {
  const auto first = signer(1);
  const std::string dkim = *dkim_sign(first, header, body_hash(body), {.now = now, .expires = {}});
  const std::string with_dkim = dkim + header;
  const std::string block = *seal(1, with_dkim, ArcStatus::none) + with_dkim;
  SignedMessage message(block);
  const ArcVerifier arc(message);
  DkimVerifier check_dkim(message);
  EXPECT_EQ(zone().answer(message), (std::vector<std::string>{"s._domainkey.hop1.example"}));
  message.on_body(body);
  EXPECT_EQ(check_dkim.results(now).at(0).verdict, DkimVerdict::pass);
  EXPECT_EQ(arc.result(now).status, ArcStatus::pass) << arc.result(now).reason;
}

TEST(ArcVerifier, does_not_read_headers_over_the_limits) {
  SignedMessage message(chain_of(1), {.header_bytes_max = 100});
  const ArcVerifier verifier(message);
  EXPECT_FALSE(message.next_lookup());
  EXPECT_EQ(verifier.result(now).status, ArcStatus::fail);
}

// What of the message a chain of one covers, in the form that is hashed.
std::string canonical(const std::string& header_block) {
  std::string out;
  for (const RawField& field : split_header_block(header_block)) {
    if (text::equals_ignoring_case(field.name, "Received")) continue;
    append_canonical_field(out, field.raw, Canonicalization::relaxed);
    out += "\r\n";
  }
  return out;
}

TEST(ArcVerifier, passes_nothing_in_which_a_byte_was_changed) {
  const std::string block = chain_of(2);
  const std::string before = canonical(block);
  const auto uncovered = block.find("Received");
  std::mt19937 random(86172);
  int passed = 0;
  for (std::size_t at = 0; at < block.size(); ++at) {
    if (at >= uncovered && at < block.find("From:")) continue;
    std::string changed = block;
    changed[at] = static_cast<char>(changed[at] ^ (1 << (random() % 8)));
    if (verify(changed).status != ArcStatus::pass) continue;
    // Only white space and the case of names, which the canonical form forgives, or within b= of a
    // seal or message signature: white space is not part of its value.
    ++passed;
    EXPECT_EQ(canonical(changed), before) << at << ": " << block.substr(at, 10);
  }
  EXPECT_LT(passed, 60);
  for (std::size_t at = 0; at < body.size(); ++at) {
    std::string changed = body;
    changed[at] = static_cast<char>(changed[at] ^ (1 << (random() % 8)));
    EXPECT_EQ(verify(block, changed).status == ArcStatus::pass,
              body_hash(changed) == body_hash(body))
        << at;
  }
}

}  // namespace
}  // namespace tapal::mailauth
