#include "protocols/mailauth/dmarc_record.h"

#include <gtest/gtest.h>

#include "protocols/mailauth/dmarc_uri.h"

namespace tapal::mailauth {
namespace {

using enum DmarcPolicy;
using enum DmarcAlignment;
using Psd = DmarcRecord::Psd;
using Uris = std::vector<std::string>;

DmarcRecord read(std::string_view text) {
  const auto record = DmarcRecord::parse(text);
  EXPECT_TRUE(record) << text;
  return record.value_or(DmarcRecord{});
}

TEST(DmarcRecord, begins_with_its_version) {
  for (const std::string_view text : {"v=DMARC1",
                                      "v=DMARC1;",
                                      "v = DMARC1 ; p=none",
                                      "V=DMARC1; p=none",
                                      "v\t=\tDMARC1\t;p=none"})
    EXPECT_TRUE(DmarcRecord::parse(text)) << text;
  for (const std::string_view text : {"",
                                      "v",
                                      "v=",
                                      "=DMARC1",
                                      "v=dmarc1; p=none",
                                      "v=DMARC1x; p=none",
                                      "v=DMARC2; p=none",
                                      "v=DMARC1 p=none",
                                      " v=DMARC1; p=none",
                                      "p=none; v=DMARC1",
                                      "ver=DMARC1; p=none",
                                      "v=spf1 -all"})
    EXPECT_FALSE(DmarcRecord::parse(text)) << text;
  EXPECT_FALSE(DmarcRecord::parse("v=DMARC1; p=none; x=" + std::string(8 * 1024, 'x')));
}

TEST(DmarcRecord, has_the_defaults_of_rfc_9989) {
  const auto record = read("v=DMARC1; p=reject");
  DmarcRecord expected;
  expected.policy = reject;
  EXPECT_EQ(record, expected);
  EXPECT_TRUE(record.applies);
  EXPECT_TRUE(record.only_rfc7489);
}

TEST(DmarcRecord, reads_every_tag) {
  const auto record = read(
      "v=DMARC1; p=reject; sp=quarantine; np=none; adkim=s; aspf=s; fo=1:d:s; t=y; psd=y; "
      "rua=mailto:a@x.example, mailto:b@y.example; ruf=mailto:c@x.example;");
  EXPECT_EQ(record.policy, reject);
  EXPECT_EQ(record.subdomain_policy, quarantine);
  EXPECT_EQ(record.nonexistent_policy, none);
  EXPECT_EQ(record.dkim_alignment, strict);
  EXPECT_EQ(record.spf_alignment, strict);
  EXPECT_EQ(record.failure_options, (DmarcFailureOptions{true, true, true}));
  EXPECT_EQ(record.aggregate_reports_to, (Uris{"mailto:a@x.example", "mailto:b@y.example"}));
  EXPECT_EQ(record.failure_reports_to, Uris{"mailto:c@x.example"});
  EXPECT_EQ(record.psd, Psd::yes);
  EXPECT_TRUE(record.testing);
  EXPECT_FALSE(record.only_rfc7489);
  EXPECT_EQ(record.notes, Uris{});
}

TEST(DmarcRecord, takes_names_and_values_in_any_case_with_white_space) {
  const auto record = read("v=DMARC1 ;\tP = Reject ;ADKIM= S;;Psd=N ; ");
  EXPECT_EQ(record.policy, reject);
  EXPECT_EQ(record.dkim_alignment, strict);
  EXPECT_EQ(record.psd, Psd::no);
}

struct FallbackCase {
  std::string_view text, note;
};

TEST(DmarcRecord, falls_back_to_the_default_for_a_wrong_value) {
  const FallbackCase cases[] = {
      {"adkim=x", "adkim=x"},
      {"aspf=strict", "aspf=strict"},
      {"fo=2", "fo=2"},
      {"fo=0:1", "fo=0:1"},
      {"fo=d:d", "fo=d:d"},
      {"fo=", "fo="},
      {"psd=maybe", "psd=maybe"},
      {"t=yes", "t=yes"},
      {"rua=nobody", "\"nobody\""},
      {"rua=mailto:@x.example", "no URI"},
      {"p", "\"p\" is no tag"},
      {"=reject", "is no tag"},
      {"adkim=x\x01", "adkim=x\\x01"},
  };
  for (const auto& [text, note] : cases) {
    auto record = read("v=DMARC1; p=quarantine; " + std::string(text));
    ASSERT_EQ(record.notes.size(), 1U) << text;
    EXPECT_TRUE(record.notes.front().contains(note)) << record.notes.front();
    record.notes.clear();
    record.only_rfc7489 = true;
    EXPECT_EQ(record, read("v=DMARC1; p=quarantine")) << text;
  }
}

TEST(DmarcRecord, ignores_tags_it_does_not_know) {
  EXPECT_EQ(read("v=DMARC1; zebra=stripes; p=reject; x-y=1"), read("v=DMARC1; p=reject"));
}

TEST(DmarcRecord, counts_the_first_of_two_equal_tags) {
  const auto record = read("v=DMARC1; p=none; p=reject");
  EXPECT_EQ(record.policy, none);
  EXPECT_EQ(record.notes.size(), 1U);
}

struct PolicyCase {
  std::string_view text;
  bool applies = true;
};

// RFC 9989 section 4.10.1: act as if p=none was there, or not at all.
TEST(DmarcRecord, without_good_policies_is_p_none_for_who_wants_reports_and_nothing_for_others) {
  const PolicyCase cases[] = {
      {"v=DMARC1", false},
      {"v=DMARC1; sp=reject", false},
      {"v=DMARC1; p=", false},
      {"v=DMARC1; p=bogus", false},
      {"v=DMARC1; p=reject; sp=bogus", false},
      {"v=DMARC1; p=reject; np=bogus", false},
      {"v=DMARC1; p=bogus; rua=nowhere", false},
      {"v=DMARC1; p=bogus; rua=", false},
      {"v=DMARC1; rua=mailto:a@x.example", true},
      {"v=DMARC1; sp=reject; rua=mailto:a@x.example", true},
      {"v=DMARC1; p=bogus; rua=mailto:a@x.example", true},
      {"v=DMARC1; p=reject; sp=bogus; rua=mailto:a@x.example", true},
      {"v=DMARC1; p=reject; np=bogus; rua=mailto:a@x.example", true},
      {"v=DMARC1; p=bogus; rua=nowhere,https://x.example/r", true},
  };
  for (const auto& [text, applies] : cases) {
    const auto record = read(text);
    EXPECT_EQ(record.applies, applies) << text;
    EXPECT_EQ(record.policy, none) << text;
    EXPECT_FALSE(record.subdomain_policy || record.nonexistent_policy) << text;
    EXPECT_FALSE(record.notes.empty()) << text;
  }
}

TEST(DmarcRecord, reads_what_is_left_of_rfc_7489) {
  const auto record = read(
      "v=DMARC1; p=reject; pct=0; ri=86400; rf=afrf; "
      "rua=mailto:a@x.example!10m,mailto:b@x.example!5");
  EXPECT_TRUE(record.testing);
  EXPECT_TRUE(record.only_rfc7489);
  EXPECT_EQ(record.aggregate_reports_to, (Uris{"mailto:a@x.example", "mailto:b@x.example"}));
  EXPECT_EQ(record.notes.size(), 4U);
  EXPECT_FALSE(read("v=DMARC1; p=reject; pct=50").testing);
  EXPECT_EQ(read("v=DMARC1; p=reject; pct=50").notes.size(), 1U);
  EXPECT_EQ(read("v=DMARC1; p=reject; pct=100").notes.size(), 0U);
  EXPECT_EQ(read("v=DMARC1; p=reject; pct=many").notes.size(), 1U);
  EXPECT_FALSE(read("v=DMARC1; p=reject; pct=0; t=n").testing) << "t= is the newer word";
  EXPECT_TRUE(read("v=DMARC1; p=reject; t=y; pct=100").testing);
}

TEST(DmarcRecord, is_newer_than_rfc_7489_by_its_tags) {
  for (const std::string_view tag : {"np=none", "psd=u", "psd=n", "t=n"})
    EXPECT_FALSE(read("v=DMARC1; p=none; " + std::string(tag)).only_rfc7489) << tag;
}

TEST(DmarcRecord, bounds_what_it_notes) {
  std::string text = "v=DMARC1; p=none";
  for (int i = 0; i < 1000; ++i) text += ";junk";
  EXPECT_EQ(read(text).notes.size(), 16U);
}

TEST(DmarcUris, are_checked_one_by_one) {
  const auto uris = parse_dmarc_uris(
      "mailto:a@x.example!10M , https://x.example/r?a=b,mailto:%64@x.example?subject=r, "
      "MAILTO:b@y");
  EXPECT_EQ(uris.good,
            (Uris{"mailto:a@x.example",
                  "https://x.example/r?a=b",
                  "mailto:%64@x.example?subject=r",
                  "MAILTO:b@y"}));
  EXPECT_TRUE(uris.has_size);
  for (const std::string_view bad : {"",
                                     "a@x.example",
                                     ":a@x.example",
                                     "1mailto:a@x.example",
                                     "mailto:",
                                     "mailto:a",
                                     "mailto:a@",
                                     "mailto:a b@x.example",
                                     "mailto:a%4@x.example",
                                     "mailto:a%4g@x.example",
                                     "mailto:a@x.example!",
                                     "mailto:a@x.example!ten",
                                     "mailto:a!b@x.example",
                                     "mailto:\xC3\xA4@x.example"}) {
    EXPECT_EQ(parse_dmarc_uris(bad).bad, std::vector{bad}) << bad;
  }
}

}  // namespace
}  // namespace tapal::mailauth
