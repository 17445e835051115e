#include "app/config/srs_keys.h"

#include <gtest/gtest.h>

#include "drivers/files/config_folder.h"
#include "drivers/files/files.h"
#include "drivers/files/scratch_folder.h"
#include "drivers/system/clock.h"
#include "rules/forward/srs.h"

namespace tapal::app {
namespace {

using std::chrono::days;

struct SrsKeysTest : testing::Test {
  SrsKeysTest() {
    const auto text = forward::make_srs_keys("0123456789abcdef0123456789abcdef");
    EXPECT_TRUE(files::write_atomically(file(), text, 0600));
  }
  std::filesystem::path file() const { return files::srs_keys_file(folder.path()); }
  forward::SrsKeys keys() const {
    return forward::read_srs_keys(files::read_file(file()).value(), "srs.keys").value();
  }
  SrsKeysTurned turn(std::chrono::seconds every, days later) const {
    const auto turned = turn_srs_keys(folder.path(), every, SystemClock().wall_now() + later);
    EXPECT_TRUE(turned);
    return turned.value_or(SrsKeysTurned::no);
  }

  files::ScratchFolder folder;
};

TEST_F(SrsKeysTest, gives_way_to_a_new_key_that_believes_the_old_one) {
  const auto before = keys();
  EXPECT_EQ(turn(days(180), days(179)), SrsKeysTurned::no);
  EXPECT_EQ(turn(days(180), days(181)), SrsKeysTurned::yes);
  EXPECT_NE(keys().current, before.current);
  EXPECT_EQ(keys().previous, before.current);

  const mail::Address sender{"ann", "sender.example"};
  const auto now = SystemClock().wall_now();
  const auto rewritten = forward::Srs(before).forward(sender, "example.com", now).value();
  EXPECT_EQ(forward::Srs(keys()).reverse(rewritten, now), forward::SrsSender(sender));
}

TEST_F(SrsKeysTest, keeps_the_key_before_for_as_long_as_its_addresses_live) {
  EXPECT_EQ(turn(std::chrono::seconds(1), days(20)), SrsKeysTurned::no);
}

TEST_F(SrsKeysTest, stays_when_told_never_to_change) {
  EXPECT_EQ(turn(std::chrono::seconds(0), days(3000)), SrsKeysTurned::no);
}

TEST_F(SrsKeysTest, makes_no_file_where_there_is_none) {
  std::filesystem::remove(file());
  EXPECT_EQ(turn(days(180), days(400)), SrsKeysTurned::no);
  EXPECT_FALSE(std::filesystem::exists(file()));
}

}  // namespace
}  // namespace tapal::app
