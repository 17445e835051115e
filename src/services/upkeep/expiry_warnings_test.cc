#include "services/upkeep/expiry_warnings.h"

#include <gtest/gtest.h>

namespace tapal::upkeep {
namespace {

using std::chrono::days;

const WallTime start(days(20'000));
const crypto::Validity validity{start, start + days(90)};

TEST(ExpiryWarnings, give_each_once_also_after_a_restart) {
  ExpiryWarnings warnings;
  EXPECT_FALSE(warnings.take("a.example", validity, start + days(60)));
  EXPECT_EQ(warnings.take("a.example", validity, start + days(70)), 21);
  EXPECT_FALSE(warnings.take("a.example", validity, start + days(71)));
  EXPECT_EQ(warnings.take("b.example", validity, start + days(71)), 21);

  ExpiryWarnings again(warnings.memory(start + days(71)));
  EXPECT_FALSE(again.take("a.example", validity, start + days(72)));
  EXPECT_EQ(again.take("a.example", validity, start + days(77)), 14);
  EXPECT_EQ(again.take("a.example", validity, start + days(84)), 7);
  EXPECT_FALSE(again.take("a.example", validity, start + days(89)));
  EXPECT_EQ(again.memory(start + days(91)), "");
}

TEST(ExpiryWarnings, leave_out_what_is_damaged) {
  const ExpiryWarnings warnings(
      "a.example 2024-12-31T00:00:00Z 7\nb.example yesterday 7\nnonsense\nc 2024-12-31T00:00:00Z "
      "x\n");
  EXPECT_EQ(warnings.memory(start), "a.example 2024-12-31T00:00:00.000Z 7\n");
}

TEST(ExpiryLetter, says_what_is_in_the_way_and_what_to_do) {
  const KeptCertificate kept{"a.example", {}, {}};
  crypto::CertificateFacts facts;
  facts.names = {"a.example", "b.example"};
  facts.validity = validity;
  CertificateNote note;
  note.failure = CertificateNote::Failure{2, "no such name", start + days(60), start + days(61)};
  const auto ours = expiry_letter(kept, facts, &note, start + days(76));
  EXPECT_EQ(ours.subject, "a.example: the certificate ends in 14 days");
  EXPECT_TRUE(ours.text.contains("a.example, b.example"));
  EXPECT_TRUE(ours.text.contains("no such name"));
  EXPECT_TRUE(ours.text.contains("tapal cert renew a.example"));
  const auto theirs = expiry_letter(kept, facts, nullptr, start + days(91));
  EXPECT_EQ(theirs.subject, "a.example: the certificate has ended");
  EXPECT_TRUE(theirs.text.contains("Another program"));
}

}  // namespace
}  // namespace tapal::upkeep
