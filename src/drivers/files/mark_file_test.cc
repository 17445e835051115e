#include "drivers/files/mark_file.h"

#include <filesystem>
#include <numeric>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "drivers/files/files.h"

namespace tapal::files {
namespace {

class MarkFileTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "tapal_marks.XXXXXX";
    folder = ::mkdtemp(name.data());
    path = folder / "final-dot.marks";
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  std::filesystem::path folder, path;
};

TEST_F(MarkFileTest, keeps_what_was_set_and_forgets_what_was_cleared) {
  const auto file = MarkFile::open(path, 4).value();
  EXPECT_EQ(file->slots(), 4U);
  EXPECT_TRUE(file->all().empty());
  const std::uint32_t both[] = {3, 7}, one[] = {0};
  file->set(0, QueueId{11}, both);
  file->set(2, QueueId{12}, one);
  EXPECT_EQ(file->all(), (std::vector<FinalDotMark>{{QueueId{11}, {3, 7}}, {QueueId{12}, {0}}}));
  file->clear(0);
  EXPECT_EQ(file->all(), (std::vector<FinalDotMark>{{QueueId{12}, {0}}}));
}

TEST_F(MarkFileTest, is_still_there_when_the_process_was_killed) {
  const ::pid_t child = ::fork();
  if (child == 0) {
    const auto file = MarkFile::open(path, 4);
    const std::uint32_t one[] = {5};
    if (file) (*file)->set(1, QueueId{99}, one);
    ::raise(SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  const auto file = MarkFile::open(path, 8).value();
  EXPECT_EQ(file->all(), (std::vector<FinalDotMark>{{QueueId{99}, {5}}}));
}

TEST_F(MarkFileTest, keeps_the_first_of_very_many_recipients) {
  const auto file = MarkFile::open(path, 1).value();
  std::vector<std::uint32_t> many(1'000);
  std::iota(many.begin(), many.end(), 0U);
  file->set(0, QueueId{1}, many);
  EXPECT_EQ(file->all().at(0).recipients.size(), 125U);
}

TEST_F(MarkFileTest, believes_no_count_that_cannot_be) {
  {
    const auto file = MarkFile::open(path, 1).value();
  }
  std::string bytes(512, '\xff');
  ASSERT_TRUE(write_atomically(path, bytes, 0600));
  EXPECT_EQ(MarkFile::open(path, 1).value()->all().at(0).recipients.size(), 125U);
}

TEST_F(MarkFileTest, is_for_its_owner_alone_and_follows_no_link) {
  {
    const auto file = MarkFile::open(path, 1).value();
  }
  struct ::stat status{};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  std::filesystem::create_symlink(path, folder / "link");
  EXPECT_FALSE(MarkFile::open(folder / "link", 1));
  EXPECT_EQ(MarkFile::open(folder / "no" / "folder", 1).error().code, Code::not_found);
}

}  // namespace
}  // namespace tapal::files
