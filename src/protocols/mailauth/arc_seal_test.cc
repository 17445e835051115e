#include "protocols/mailauth/arc_seal.h"

#include <gtest/gtest.h>

#include "protocols/mailauth/arc_results.h"
#include "protocols/mailauth/test_arc.h"

namespace tapal::mailauth {
namespace {

using namespace test_arc;

std::string seal_line(const std::string& set) { return set.substr(0, set.find("ARC-Message")); }

TEST(ArcSeal, puts_seal_signature_and_results_in_front) {
  const auto set = seal(1, header, ArcStatus::none);
  ASSERT_TRUE(set) << set.error().what;
  const auto fields = split_header_block(*set);
  ASSERT_EQ(fields.size(), 3U);
  EXPECT_EQ(fields[0].name, "ARC-Seal");
  EXPECT_EQ(fields[1].name, "ARC-Message-Signature");
  EXPECT_EQ(fields[2].raw, "ARC-Authentication-Results: i=1; hop1.example; spf=pass");
  EXPECT_EQ(*set, *seal(1, header, ArcStatus::none)) << "the same input gives the same bytes";
  for (const RawField& field : fields) {
    for (std::size_t begin = 0; begin < field.raw.size();) {
      const auto end = std::min(field.raw.find("\r\n", begin), field.raw.size());
      EXPECT_LE(end - begin, 998U) << field.raw;
      begin = end + 2;
    }
  }
}

TEST(ArcSeal, says_what_the_chain_was) {
  constexpr auto none = ArcStatus::none;
  constexpr auto pass = ArcStatus::pass;
  constexpr auto failed = ArcStatus::fail;
  const std::string chain = chain_of(1);
  const std::string cut = chain.substr(0, chain.find("ARC-Message"));
  for (const auto& [block, status, expected] :
       {std::tuple{header, none, "cv=none"},
        {header, pass, "cv=none"},
        {chain, pass, "cv=pass"},
        {chain, failed, "cv=fail"},
        {chain, none, "cv=fail"},
        {cut + header, pass, "cv=fail"},
        {"ARC-Seal: i=51; x=y\r\n" + header, pass, "cv=fail"}}) {
    const auto set = seal(2, block, status);
    ASSERT_TRUE(set) << set.error().what;
    EXPECT_TRUE(set->contains(expected)) << *set << block;
  }
}

TEST(ArcSeal, covers_its_own_set_alone_when_the_chain_failed) {
  const std::string chain = chain_of(2);
  const std::string set = *seal(3, chain, ArcStatus::fail);
  EXPECT_TRUE(seal_line(set).contains(" i=3;")) << set;
  const auto fields = split_header_block(set);
  const auto tags = field_tags(fields[0]);
  const auto digest = ArcSealDigest().add(fields[2], fields[1], fields[0]);
  EXPECT_TRUE(signer(3).key->public_key().verify(digest, *from_base64_value(tags->value("b"))));
}

TEST(ArcSeal, adds_nothing_to_a_chain_that_nobody_may_extend) {
  const std::string chain = chain_of(1);
  const std::string ended = *seal(2, chain, ArcStatus::fail) + chain;
  const auto after = seal(3, ended, ArcStatus::fail);
  ASSERT_FALSE(after);
  EXPECT_EQ(after.error().code, Code::denied);
  const auto too_long = seal(51, chain_of(50), ArcStatus::pass);
  ASSERT_FALSE(too_long);
  EXPECT_EQ(too_long.error().code, Code::denied);
}

TEST(ArcSeal, signs_dkim_signatures_and_never_what_others_take_away) {
  const std::string block =
      "DKIM-Signature: a\r\nAuthentication-Results: x; none\r\nARC-Seal: i=1\r\nReturn-Path: <>\r\n"
      "DKIM-Signature: b\r\nARC-Authentication-Results: i=1\r\n" +
      header;
  const auto names = arc_signed_fields(split_header_block(block));
  EXPECT_EQ(std::ranges::count(names, "DKIM-Signature"), 2);
  EXPECT_EQ(std::ranges::count(names, "From"), 2);
  for (const std::string& name : names) {
    EXPECT_FALSE(name.starts_with("ARC-")) << name;
    EXPECT_NE(name, "Authentication-Results");
    EXPECT_NE(name, "Received");
    EXPECT_NE(name, "Return-Path");
  }
}

Result<std::string> seal_listing(std::vector<std::string> names,
                                 const std::string& block = header) {
  return arc_seal(signer(1),
                  block,
                  body_hash(body),
                  {.results = "a; none", .signed_fields = std::move(names), .now = now});
}

TEST(ArcSeal, lists_the_fields_it_is_told_to) {
  const auto set = seal_listing({"From", " to", "X-Absent", "Arc-Authentication-Results", "from"});
  ASSERT_TRUE(set) << set.error().what;
  EXPECT_TRUE(set->contains("h=from:to:x-absent:arc-authentication-results:from;")) << *set;
  EXPECT_EQ(verify(*set + header).status, ArcStatus::pass);
  EXPECT_EQ(verify("From: x\r\n" + *set + header).status, ArcStatus::fail);
  EXPECT_EQ(verify("X-Absent: x\r\n" + *set + header).status, ArcStatus::fail);
  EXPECT_EQ(verify("Subject: x\r\n" + *set + header).status, ArcStatus::pass);
}

TEST(ArcSeal, breaks_a_list_that_is_too_long_for_a_line) {
  std::string block = header;
  std::vector<std::string> names = {"From"};
  for (int i = 0; i < 100; ++i) names.push_back(fmt::format("x-rather-long-name-{}", i));
  const auto set = seal_listing(names);
  ASSERT_TRUE(set) << set.error().what;
  EXPECT_EQ(verify(*set + header).status, ArcStatus::pass) << verify(*set + header).reason;
  const auto longest = set->find("\r\n", set->find("h="));
  EXPECT_LE(longest - set->rfind("\r\n", longest - 1), 998U);
}

TEST(ArcSeal, refuses_what_no_verifier_would_accept) {
  for (const std::vector<std::string>& names : {std::vector<std::string>{"to"},
                                                {"from", "ARC-Seal"},
                                                {"from", ""},
                                                {"from", "a b"},
                                                std::vector<std::string>(300, "from")}) {
    const auto set = seal_listing(names);
    ASSERT_FALSE(set) << names.back();
    EXPECT_EQ(set.error().code, Code::invalid);
  }
  EXPECT_FALSE(seal_listing({}, "To: x\r\n"));
  auto ec = signer(1);
  ec.key = key_of(crypto::test_keys::ec_p256);
  EXPECT_FALSE(arc_seal(ec, header, body_hash(body), {.results = "a; none", .now = now}));
  auto nowhere = signer(1);
  nowhere.domain = "a..example";
  EXPECT_FALSE(arc_seal(nowhere, header, body_hash(body), {.results = "a; none", .now = now}));
}

TEST(ArcSeal, keeps_results_from_breaking_out_of_their_field) {
  const auto set = arc_seal(
      signer(1), header, body_hash(body), {.results = "a; none\r\nFrom: x\n\nbody", .now = now});
  ASSERT_TRUE(set) << set.error().what;
  EXPECT_EQ(split_header_block(*set).size(), 3U);
  EXPECT_EQ(verify(*set + header).status, ArcStatus::pass);
}

struct Reference {
  std::string name;
  std::string message;
  ArcStatus chain = ArcStatus::none;
  int time = 0;
  std::string seal;               // b=
  std::string message_signature;  // b=
};

// Made by dkimpy 1.1.4, arc_sign(standardize=True), with the key of RFC 8463 appendix A.2.
TEST(ArcSeal, makes_the_bytes_that_another_signer_makes) {
  const std::string rest =
      "From: Ann <ann@d1.example>\r\nTo: bob@d2.example\r\nSubject:  a  word\r\n";
  const std::string hello = "\r\nHello.\r\n";
  const std::string first_results =
      "Authentication-Results: lists.example.org; arc=none;\r\n\tspf=pass "
      "smtp.mfrom=ann@d1.example;\r\n\tdkim=pass (2048-bit key) header.i=@d1.example\r\n";
  std::string chain;
  const auto& rsa = key_of(crypto::test_keys::rsa_1024);
  for (const Reference& c : {
           Reference{
               "first",
               first_results,
               ArcStatus::none,
               12345,
               "JwVVYoc20mOwEh5nQroz3m391iYYcxz/ChVEd1ri9F3eIE5wSmjMEvMRV51iuwQ/FbCfJ2TOHlwjIZjA"
               "Oi2O75ISlspVRKGw0fnvqJMo9hSn9OnqGE5OgEhDx2+f8f2GZx4TnT00bn7lPiGMnnywRD+SAE85HO4i"
               "H1fGy3H3/tU=",
               "jp8r3TkpTCI4v0Xd0W2l3G7fj9G4OsElUW7gyNgKej+h1naWq0qIZWLa1DdgyxyG+/dQyRu0RODp6UDL"
               "95jfS7F0XJ2yfOJAsMy7/KSCgrT66yY6xp3RLehIFXu0uOpQHvAmWR1d48CoC69HEiriZP4sosKj9b7x"
               "1LeZ8neUgv8="},
           Reference{
               "second",
               "Authentication-Results: lists.example.org; arc=pass\r\n",
               ArcStatus::pass,
               12346,
               "47FjbQXfqEe3D4ZvCJAXdgBLmRdgW7t0Lfyn5HvL9SCUhwaqrBYI9zYnUqYDiOF1CDo3zyDvThsMKw4y"
               "LhStBjVZ0Xy0Ems4HmChzZvSRVFftrnsV7MdSQv7bNOpRCVy2+7kIAhd5dEVzzEj4SoU+9ezaFNCzG44"
               "OgqDeVSF8mA=",
               "BaQrVPrgjtDZSoJp268vW8M5Pf72utgMH/uXBWZaFScke8pUhq/GDoGMqi8+rQQdpnL4LAIQ7J/DZ0Sp"
               "cyrpqA+PLVi8/MnqnL27H17O6wSGSNUXQQY/4A5NO2xxcOA+iTaASJB0XhgK4rDqwAbDhNXBZJZZrkE8"
               "bMHGf8QqBGM="},
           Reference{
               "second of a failed chain",
               "Authentication-Results: lists.example.org; arc=fail\r\n",
               ArcStatus::fail,
               12347,
               "fDMI7vMmQ8ig2+/m5y/7bpASkxVgf1vrTyfzKl/OEuvzprPUlu0pfMF4oTQmvpOjIfTUqjTUGfLGhuXo"
               "/YkkBFrr58BkvCYpislZExI97KTBF5LmKodIusdh5b5dDYBGAXlTrI+0bBNrj5tYEUkRji9aXjr218/w"
               "XdjvY6DNdsA=",
               "ifkehq/1OyeK81fr/iaPv/HoKqcT+n4ay0MFGPf0NZ21rgwWEEDmclf/OF8eYB4Ao/l3FniELSovqy/j"
               "Gzkv9NKR/Cu8U4nThIZ5jIoR4WhhYOR4ogD59rUxgaqS1aEkKcOFuINS7qB26yNrl1SpW/lFoQ1FCB7O"
               "UcVcCtZ45tA="},
       }) {
    const std::string block = c.message + chain + rest;
    const auto own = own_results(split_header_block(block), "lists.example.org");
    ASSERT_TRUE(own) << c.name;
    const std::vector<std::string> names = {"From", "To", "Subject", "ARC-Authentication-Results"};
    const auto set = arc_seal({"Example.org", "sel", rsa},
                              block,
                              body_hash(hello.substr(2)),
                              {.chain = chain_at_arrival(*own, ArcStatus::none),
                               .results = own->payload,
                               .signed_fields = names,
                               .now = WallTime(std::chrono::seconds(c.time))});
    ASSERT_TRUE(set) << set.error().what;
    EXPECT_TRUE(set->contains("\tb=" + c.message_signature + ";")) << c.name << *set;
    EXPECT_TRUE(set->contains("\tb=" + c.seal + ";")) << c.name << *set;
    if (chain.empty()) chain = *set;
  }
}

}  // namespace
}  // namespace tapal::mailauth
