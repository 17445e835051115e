#include "drivers/files/drop_folder.h"

#include <functional>
#include <future>
#include <utility>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "drivers/files/folder_watch.h"
#include "drivers/files/scratch_folder.h"

namespace tapal::files {
namespace {

namespace fs = std::filesystem;

struct World {
  ScratchFolder scratch;
  fs::path path = scratch.path() / "drop";
  LocalDropFolder folder = LocalDropFolder::open(path, 1000).value();

  std::vector<std::string> names() { return folder.names(100).value(); }
  void age(const fs::path& name) const {
    fs::last_write_time(path / name, fs::file_time_type::clock::now() - std::chrono::hours(25));
  }
};

mode_t mode_of(const fs::path& path) {
  struct stat facts{};
  EXPECT_EQ(::stat(path.c_str(), &facts), 0);
  return facts.st_mode & 07777U;
}

TEST(DropFolder, lets_all_put_files_there_whatever_the_umask_and_only_the_owner_list) {
  const auto before = ::umask(0077);
  World w;
  ::umask(before);
  EXPECT_EQ(mode_of(w.path), 01733U);
  ASSERT_EQ(::chmod(w.path.c_str(), 01730), 0);
  EXPECT_TRUE(LocalDropFolder::open(w.path, 1000).has_value());
  EXPECT_EQ(mode_of(w.path), 01730U) << "an administrator's own mode stays";
}

TEST(DropFolder, gives_what_was_left_with_its_owner_until_it_is_removed) {
  World w;
  ASSERT_TRUE(leave_drop(w.path, "hello").has_value());
  ASSERT_EQ(w.names().size(), 1U);
  const auto name = w.names().front();
  const auto file = w.folder.read(name).value();
  EXPECT_EQ(file.bytes, "hello");
  EXPECT_EQ(file.owner, ::geteuid());
  EXPECT_TRUE(w.folder.remove(name).has_value());
  EXPECT_TRUE(w.folder.remove(name).has_value()) << "its user may have taken it back";
  EXPECT_TRUE(w.names().empty());
  EXPECT_EQ(w.folder.read(name).error().code, Code::not_found);
}

TEST(DropFolder, takes_nothing_that_sendmail_did_not_leave) {
  const std::string name(32, 'a');
  const struct {
    std::string_view what;
    std::function<void(const fs::path& file)> make;
  } cases[] = {
      {"unfinished", [](const fs::path& file) { ::close(::creat(file.c_str(), 0200)); }},
      {"a file of another mode, moved there",
       [](const fs::path& file) { ::close(::creat(file.c_str(), 0644)); }},
      {"a link to another file",
       [](const fs::path& file) { fs::create_symlink("/etc/passwd", file); }},
      {"a second name of a file",
       [](const fs::path& file) {
         const auto other = file.parent_path() / "other";
         ::close(::creat(other.c_str(), 0200));
         ::chmod(other.c_str(), 0544);
         fs::create_hard_link(other, file);
       }},
      {"a pipe",
       [](const fs::path& file) {
         ::mkfifo(file.c_str(), 0544);
         ::chmod(file.c_str(), 0544);
       }},
      {"a folder", [](const fs::path& file) { fs::create_directory(file); }},
  };
  for (const auto& [what, make] : cases) {
    World w;
    make(w.path / name);
    EXPECT_TRUE(w.names().empty()) << what;
    EXPECT_FALSE(w.folder.read(name).has_value()) << what;
  }
}

TEST(DropFolder, refuses_what_is_too_long) {
  World w;
  ASSERT_TRUE(leave_drop(w.path, std::string(1001, 'x')).has_value());
  EXPECT_EQ(w.folder.read(w.names().front()).error().code, Code::invalid);
}

TEST(DropFolder, clears_away_after_a_day_what_was_never_finished) {
  World w;
  const std::string unfinished(32, 'b');
  ::close(::creat((w.path / unfinished).c_str(), 0200));
  w.scratch.write("drop/litter", "x");
  EXPECT_TRUE(w.names().empty());
  EXPECT_TRUE(fs::exists(w.path / unfinished));
  w.age(unfinished);
  w.age("litter");
  EXPECT_TRUE(w.names().empty());
  EXPECT_TRUE(fs::is_empty(w.path));
}

TEST(DropFolder, gives_the_oldest_first_and_no_more_than_asked_for) {
  World w;
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(leave_drop(w.path, std::to_string(i)).has_value());
  const auto oldest = w.folder.names(100).value().back();
  w.age(oldest);
  EXPECT_EQ(w.folder.names(2).value().size(), 2U);
  EXPECT_EQ(w.folder.names(2).value().front(), oldest);
}

TEST(DropFolder, says_when_there_is_no_server) {
  const ScratchFolder scratch;
  EXPECT_EQ(leave_drop(scratch.path() / "drop", "x").error().code, Code::not_found);
}

TEST(FolderWatch, tells_of_a_file_that_was_left) {
  World w;
  std::promise<void> told;
  bool is_told = false;
  const auto watch = FolderWatch::start(w.path, [&] {
                       if (!std::exchange(is_told, true)) told.set_value();
                     }).value();
  ASSERT_TRUE(leave_drop(w.path, "x").has_value());
  EXPECT_EQ(told.get_future().wait_for(std::chrono::seconds(10)), std::future_status::ready);
}

}  // namespace
}  // namespace tapal::files
