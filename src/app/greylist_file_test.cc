#include "app/greylist_file.h"

#include <gtest/gtest.h>

#include "drivers/files/scratch_folder.h"
#include "ports/test_fakes.h"

namespace tapal::app {
namespace {

TEST(KeptGreylist, remembers_over_a_restart) {
  const files::ScratchFolder folder;
  const auto file = folder.path() / "greylist";
  const judge::GreylistRecord record{WallTime(std::chrono::days(20'000)), {}};
  const std::string key(16, 'k');
  RecordingLog log;
  {
    KeptGreylist unused(file, log);
  }
  EXPECT_FALSE(std::filesystem::exists(file));
  {
    KeptGreylist greylist(file, log);
    greylist.memory().save(key, record);
  }
  KeptGreylist again(file, log);
  EXPECT_EQ(again.memory().load(key), record);
  EXPECT_TRUE(log.entries.empty());
}

TEST(KeptGreylist, tells_when_it_cannot_be_kept) {
  const files::ScratchFolder folder;
  RecordingLog log;
  {
    KeptGreylist greylist(folder.path() / "none" / "greylist", log);
    greylist.memory().save(std::string(16, 'k'), {});
  }
  EXPECT_EQ(log.count("the greylist is not kept"), 1U);
}

}  // namespace
}  // namespace tapal::app
