#include "drivers/files/files.h"

#include <csignal>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "drivers/files/descriptor.h"
#include "drivers/files/ownership.h"
#include "drivers/files/scratch_folder.h"

namespace tapal::files {
namespace {

namespace fs = std::filesystem;

// While it lives no file may grow past `bytes`: what a full disk looks like to a writer.
class FileSizeBound {
 public:
  explicit FileSizeBound(rlim_t bytes) {
    getrlimit(RLIMIT_FSIZE, &before_);
    handler_ = std::signal(SIGXFSZ, SIG_IGN);
    const rlimit bound{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &bound);
  }
  ~FileSizeBound() {
    setrlimit(RLIMIT_FSIZE, &before_);
    static_cast<void>(std::signal(SIGXFSZ, handler_));
  }
  FileSizeBound(const FileSizeBound&) = delete;
  FileSizeBound& operator=(const FileSizeBound&) = delete;

 private:
  rlimit before_{};
  void (*handler_)(int) = nullptr;
};

std::size_t count_of(const fs::path& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), {}));
}

mode_t mode_of(const fs::path& path) {
  struct stat facts{};
  EXPECT_EQ(stat(path.c_str(), &facts), 0);
  return facts.st_mode & 07777;
}

TEST(Files, reads_what_it_wrote_with_the_mode_asked_for) {
  const ScratchFolder scratch;
  const fs::path file = scratch.path() / "users";
  const std::string bytes = std::string("a\0b\r\n", 5) + std::string(200'000, 'x');
  ASSERT_TRUE(write_atomically(file, bytes, 0640));
  EXPECT_EQ(read_file(file), bytes);
  EXPECT_EQ(mode_of(file), 0640u);
  ASSERT_TRUE(write_atomically(file, "", 0600));
  EXPECT_EQ(read_file(file), "");
  EXPECT_EQ(mode_of(file), 0600u);
  EXPECT_EQ(count_of(scratch.path()), 1u);
}

TEST(Files, refuses_to_read_what_is_no_file_or_too_long) {
  const ScratchFolder scratch;
  const fs::path file = scratch.write("long", "12345");
  EXPECT_EQ(read_file(file, 5), "12345");
  EXPECT_EQ(read_file(file, 4).error().code, Code::invalid);
  EXPECT_EQ(read_file(file, 4).error().what, file.string() + " is longer than 4 bytes");
  EXPECT_EQ(read_file(scratch.path()).error().code, Code::invalid);
  EXPECT_EQ(read_file(scratch.path() / "none").error().code, Code::not_found);
  ASSERT_EQ(mkfifo((scratch.path() / "fifo").c_str(), 0600), 0);
  EXPECT_EQ(read_file(scratch.path() / "fifo").error().code, Code::invalid);
}

TEST(Files, keeps_the_old_file_when_the_disk_is_full) {
  const ScratchFolder scratch;
  const fs::path file = scratch.write("users", "old");
  {
    const FileSizeBound bound(1000);
    const auto written = write_atomically(file, std::string(5000, 'x'), 0600);
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().code, Code::full);
    EXPECT_NE(written.error().what.find(file.string()), std::string::npos);
  }
  EXPECT_EQ(read_file(file), "old");
  EXPECT_EQ(count_of(scratch.path()), 1u);
}

TEST(Files, tells_when_access_is_denied) {
  const ScratchFolder scratch;
  const fs::path file = scratch.write("users", "old");
  fs::permissions(scratch.path(), fs::perms(0500));
  const bool is_root = geteuid() == 0;
  if (is_root) ASSERT_EQ(seteuid(65534), 0);  // root may do anything
  const auto read = read_file(file);
  const auto written = write_atomically(file, "new", 0600);
  if (is_root) ASSERT_EQ(seteuid(0), 0);
  fs::permissions(scratch.path(), fs::perms(0700));
  if (is_root) EXPECT_EQ(read.error().code, Code::denied);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, Code::denied);
  EXPECT_EQ(ScratchFolder::read(file), "old");
}

TEST(Files, creates_folders_with_their_parents_once) {
  const ScratchFolder scratch;
  const fs::path deep = scratch.path() / "a" / "b" / "c";
  ASSERT_TRUE(create_folder(deep, 0700));
  ASSERT_TRUE(create_folder(deep, 0700));
  EXPECT_EQ(mode_of(scratch.path() / "a"), 0700u);
  EXPECT_EQ(mode_of(deep), 0700u);
  const fs::path file = scratch.write("file", "");
  EXPECT_FALSE(create_folder(file / "below", 0700));
  EXPECT_FALSE(create_folder(file, 0700));
}

TEST(Files, edits_what_is_there_and_writes_nothing_when_the_change_fails) {
  const ScratchFolder scratch;
  const fs::path file = scratch.path() / "users";
  const auto append = [](std::string_view text) -> Result<std::string> {
    return std::string(text) + "x";
  };
  ASSERT_TRUE(edit_file(file, 0600, append));
  ASSERT_TRUE(edit_file(file, 0600, append));
  EXPECT_EQ(read_file(file), "xx");
  const auto refused = edit_file(file, 0600, [](std::string_view) -> Result<std::string> {
    return fail(Code::not_found, "no such user");
  });
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().what, "no such user");
  EXPECT_EQ(read_file(file), "xx");
}

TEST(Files, loses_no_edit_when_many_edit_at_once) {
  const ScratchFolder scratch;
  const fs::path file = scratch.path() / "users";
  constexpr int editors = 4;
  constexpr int edits = 10;
  std::vector<std::jthread> threads;
  for (int i = 0; i < editors; ++i) {
    threads.emplace_back([&file] {
      for (int k = 0; k < edits; ++k) {
        EXPECT_TRUE(edit_file(file, 0600, [](std::string_view text) -> Result<std::string> {
          return std::string(text) + "x";
        }));
      }
    });
  }
  threads.clear();
  EXPECT_EQ(read_file(file)->size(), static_cast<std::size_t>(editors * edits));
}

TEST(Files, lines_are_added_at_the_end_and_for_the_owner_alone) {
  const ScratchFolder scratch;
  const auto path = scratch.path() / "log";
  ASSERT_TRUE(append_line(path, "first", 0600));
  ASSERT_TRUE(append_line(path, "second", 0600));
  EXPECT_EQ(read_file(path).value(), "first\nsecond\n");
  EXPECT_EQ(std::filesystem::status(path).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  EXPECT_EQ(append_line(scratch.path() / "none" / "log", "x", 0600).error().code, Code::not_found);
}

TEST(Files, that_root_makes_belong_to_the_owner_of_their_folder) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can";
  constexpr uid_t other = 65534;
  const ScratchFolder scratch;
  ASSERT_EQ(::chown(scratch.path().c_str(), other, other), 0);
  const auto folder = scratch.path() / "a" / "b";
  ASSERT_TRUE(create_folder(folder, 0700).has_value());
  ASSERT_TRUE(write_atomically(folder / "file", "x", 0600).has_value());
  const auto add = [](std::string_view) -> Result<std::string> { return "y"; };
  ASSERT_TRUE(edit_file(folder / "edited", 0600, add).has_value());
  for (const auto& entry : fs::recursive_directory_iterator(scratch.path())) {
    struct stat facts{};
    ASSERT_EQ(::stat(entry.path().c_str(), &facts), 0);
    EXPECT_EQ(facts.st_uid, other) << entry.path();
  }
}

TEST(Files, locks_are_not_taken_through_a_link) {
  const ScratchFolder scratch;
  scratch.write("target", "x");
  fs::create_symlink(scratch.path() / "target", scratch.path() / "lock");
  EXPECT_FALSE(open_lock(scratch.path() / "lock").has_value());
}

}  // namespace
}  // namespace tapal::files
