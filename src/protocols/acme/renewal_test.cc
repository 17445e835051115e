#include "protocols/acme/renewal.h"

#include <gtest/gtest.h>

#include "values/text/date.h"
#include "values/text/hex.h"

namespace tapal::acme {
namespace {

using std::chrono::days;
using std::chrono::hours;

TEST(CertificateId, is_that_of_rfc_9773_section_4_1) {
  crypto::CertificateFacts facts;
  facts.authority_key_id = *text::from_hex("69885b6b87464041e1b37b847ba0ae2cde01c8d4");
  facts.serial = *text::from_hex("0087654321");
  EXPECT_EQ(certificate_id(facts), "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE");
  facts.authority_key_id.clear();
  EXPECT_EQ(certificate_id(facts), "");
}

TEST(RenewalWindow, of_rfc_9773_section_4_2_is_read) {
  const auto window = read_renewal_window(R"({
    "suggestedWindow": {"start": "2025-01-02T04:00:00Z", "end": "2025-01-03T04:00:00Z"},
    "explanationURL": "https://acme.example.com/docs/ari"})");
  ASSERT_TRUE(window) << window.error().what;
  EXPECT_EQ(text::rfc3339_date(window->start), "2025-01-02T04:00:00.000Z");
  EXPECT_EQ(window->end - window->start, hours(24));
  EXPECT_EQ(window->explanation_url, "https://acme.example.com/docs/ari");
}

TEST(RenewalWindow, that_is_none_is_refused) {
  for (const std::string body :
       {"{}",
        R"({"suggestedWindow":{}})",
        R"({"suggestedWindow":{"start":"2025-01-03T04:00:00Z","end":"2025-01-02T04:00:00Z"}})",
        R"({"suggestedWindow":{"start":"2025-01-03T04:00:00Z","end":"2025-01-03T04:00:00Z"}})"})
    EXPECT_FALSE(read_renewal_window(body)) << body;
}

TEST(RenewalMoment, is_spread_over_the_window) {
  const RenewalWindow window{WallTime(days(20'000)), WallTime(days(20'010)), {}};
  crypto::Digest digest{};
  EXPECT_EQ(moment_in(window, digest), window.start);
  digest[0] = 0x80;
  EXPECT_EQ(moment_in(window, digest), window.start + days(5));
  digest.fill(0xff);
  EXPECT_LT(moment_in(window, digest), window.end);
  EXPECT_GT(moment_in(window, digest), window.end - hours(1));
}

TEST(RenewalMoment, without_a_window_comes_from_the_lifetime) {
  const WallTime start(days(20'000));
  EXPECT_EQ(moment_by_lifetime({start, start + days(90)}), start + days(60));
  EXPECT_EQ(moment_by_lifetime({start, start + days(10)}), start + days(10) - hours(80));
  EXPECT_EQ(moment_by_lifetime({start, start + days(6)}), start + days(3));
}

}  // namespace
}  // namespace tapal::acme
