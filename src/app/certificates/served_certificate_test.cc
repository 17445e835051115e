#include "app/certificates/served_certificate.h"

#include <gtest/gtest.h>

#include "values/crypto/key.h"

namespace tapal::app {
namespace {

const WallTime now = WallTime(std::chrono::seconds(1'760'000'000));
const crypto::Validity good{now - std::chrono::days(1), now + std::chrono::days(60)};

std::string made(const std::string& name, crypto::Validity validity) {
  static const auto key = crypto::PrivateKey::generate_ec_p256().value();
  return crypto::make_self_signed({name}, key, validity).value();
}

TEST(ServedCertificate, is_in_order_when_the_library_trusts_it_and_it_is_for_the_host) {
  const ServedCertificate served{made("*.example.com", good), true, ""};
  const auto finding = judge_certificate(served, "mail.example.com", now);
  EXPECT_TRUE(finding.problems.empty());
  ASSERT_TRUE(finding.facts);
  EXPECT_EQ(finding.facts->names, std::vector<std::string>{"*.example.com"});
}

TEST(ServedCertificate, is_told_with_each_thing_that_a_strict_client_finds_wrong) {
  struct Case {
    std::string_view name;
    ServedCertificate served;
    std::vector<std::string_view> told;
  };
  const auto alone = made("mail.example.com", good);
  const Case cases[] = {
      {"another name",
       {made("www.example.com", good), true, ""},
       {"it is for www.example.com, not for mail.example.com"}},
      {"expired",
       {made("mail.example.com", {now - std::chrono::days(9), now - std::chrono::days(1)}),
        true,
        ""},
       {"it expired on 2025-10-08"}},
      {"too early",
       {made("mail.example.com", {now + std::chrono::days(1), now + std::chrono::days(9)}),
        true,
        ""},
       {"it holds from 2025-10-10"}},
      {"self-signed", {alone, false, "self-signed certificate"}, {"it is self-signed"}},
      {"everything at once",
       {made("x.example", {now - std::chrono::days(9), now - std::chrono::days(1)}), false, "x"},
       {"it is for x.example", "it expired", "it is self-signed"}},
      {"none", {"", false, ""}, {"not a certificate"}},
  };
  for (const auto& [name, served, told] : cases) {
    SCOPED_TRACE(name);
    const auto problems = judge_certificate(served, "mail.example.com", now).problems;
    ASSERT_EQ(problems.size(), told.size());
    for (std::size_t i = 0; i < told.size(); ++i)
      EXPECT_TRUE(problems[i].contains(told[i])) << problems[i];
  }
}

}  // namespace
}  // namespace tapal::app
