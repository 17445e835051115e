#include "values/crypto/sealed.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace tapal::crypto {
namespace {

constexpr SealCost cheap{.memory_kib = 8, .passes = 1};
constexpr std::string_view passphrase = "correct horse battery";

struct SealedTest : testing::Test {
  Sealer sealer = make_sealer(passphrase, cheap).value();
  std::string sealed = seal(sealer, "the keys").value();
};

TEST_F(SealedTest, is_opened_by_the_passphrase_alone) {
  const auto opened = open_sealed(passphrase, sealed);
  ASSERT_TRUE(opened) << opened.error().what;
  EXPECT_EQ(opened->bytes, "the keys");
  EXPECT_EQ(opened->sealer, sealer);
  EXPECT_FALSE(sealed.contains("the keys"));
  const auto other = open_sealed("correct horse batterz", sealed);
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, Code::denied);
}

TEST_F(SealedTest, differs_each_time) { EXPECT_NE(seal(sealer, "the keys").value(), sealed); }

TEST_F(SealedTest, is_sealed_by_one_who_only_kept_the_text) {
  const auto kept = Sealer::from_text(sealer.text());
  ASSERT_TRUE(kept);
  EXPECT_EQ(*kept, sealer);
  EXPECT_EQ(open_sealed(passphrase, seal(*kept, "").value()).value().bytes, "");
}

TEST_F(SealedTest, is_refused_when_any_byte_was_changed_or_is_missing) {
  for (std::size_t at = 0; at < sealed.size(); ++at) {
    auto changed = sealed;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    EXPECT_FALSE(open_sealed(passphrase, changed)) << at;
    EXPECT_FALSE(open_sealed(passphrase, std::string_view(sealed).substr(0, at))) << at;
  }
}

// Somebody with the backup alone knows how it is made, but not the tag's key.
TEST_F(SealedTest, is_refused_when_another_sealed_it_to_the_same_key) {
  auto forged = sealer;
  forged.tag_key = {};
  const auto opened = open_sealed(passphrase, seal(forged, "other keys").value());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Code::denied);
}

TEST_F(SealedTest, does_not_work_harder_than_its_bounds_whatever_the_file_says) {
  for (const auto* line : {"tapal-sealed-1 99999999999 1 AAAAAAAAAAAAAAAAAAAAAA\n",
                           "tapal-sealed-1 8 99999 AAAAAAAAAAAAAAAAAAAAAA\n",
                           "tapal-sealed-1 0 0 AAAAAAAAAAAAAAAAAAAAAA\n"}) {
    const auto opened = open_sealed(passphrase, line + std::string(200, 'x'));
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, Code::invalid);
  }
}

TEST(Sealer, wants_a_passphrase_that_cannot_be_guessed) {
  EXPECT_FALSE(make_sealer("short", cheap));
  EXPECT_FALSE(make_sealer(std::string(2000, 'x'), cheap));
}

}  // namespace
}  // namespace tapal::crypto
