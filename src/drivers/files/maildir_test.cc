#include "drivers/files/maildir.h"

#include <csignal>
#include <deque>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "drivers/files/scratch_folder.h"
#include "ports/memory_body.h"

namespace tapal::files {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view prefix = "Return-Path: <a@b.example>\r\nDelivered-To: alice\r\n";
const QueueId id = QueueId::make(WallTime(std::chrono::seconds(1'760'000'000)), 7);

std::vector<fs::path> files_in(const fs::path& folder) {
  std::vector<fs::path> files;
  if (fs::exists(folder))
    for (const auto& entry : fs::directory_iterator(folder)) files.push_back(entry.path());
  return files;
}

struct BrokenBody final : Body {
  std::uint64_t size() const override { return 10; }
  Result<std::size_t> read(std::uint64_t offset, std::span<char> into) const override {
    if (offset > 0) return fail(Code::internal, "the disk failed");
    into[0] = 'x';
    return std::size_t{1};
  }
};

TEST(Maildir, delivers_into_new_with_local_line_ends_and_leaves_tmp_empty) {
  const ScratchFolder scratch;
  const fs::path box = scratch.path() / "example.com" / "alice";
  const MemoryBody body("Subject: x\r\n\r\nline\r\n\rlone\n\r\n\r");
  ASSERT_TRUE(deliver_to_maildir(box, "name", prefix, body));
  EXPECT_EQ(ScratchFolder::read(box / "new" / "name"),
            "Return-Path: <a@b.example>\nDelivered-To: alice\nSubject: x\n\nline\n\rlone\n\n\r");
  EXPECT_TRUE(files_in(box / "tmp").empty());
  EXPECT_TRUE(fs::is_directory(box / "cur"));
  struct stat facts{};
  ASSERT_EQ(stat((box / "new" / "name").c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 07777, 0600u);
  ASSERT_EQ(stat(box.parent_path().c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 07777, 0700u);
}

TEST(Maildir, converts_line_ends_that_lie_between_two_blocks) {
  const ScratchFolder scratch;
  std::string bytes(64UL * 1024 - 1, 'x');
  bytes += "\r\n";
  bytes += std::string(64UL * 1024 - 2, 'y') + "\r\nend";
  ASSERT_TRUE(deliver_to_maildir(scratch.path(), "name", "", MemoryBody(bytes)));
  EXPECT_EQ(ScratchFolder::read(scratch.path() / "new" / "name"),
            std::string(64UL * 1024 - 1, 'x') + "\n" + std::string(64UL * 1024 - 2, 'y') + "\nend");
}

TEST(Maildir, replaces_the_same_message_instead_of_adding_it_again) {
  const ScratchFolder scratch;
  ASSERT_TRUE(deliver_to_maildir(scratch.path(), "name", "", MemoryBody("one")));
  ASSERT_TRUE(deliver_to_maildir(scratch.path(), "name", "", MemoryBody("two")));
  ASSERT_EQ(files_in(scratch.path() / "new").size(), 1u);
  EXPECT_EQ(ScratchFolder::read(scratch.path() / "new" / "name"), "two");
}

TEST(Maildir, leaves_nothing_behind_when_the_disk_is_full_or_the_body_cannot_be_read) {
  const ScratchFolder scratch;
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  auto* const handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit bound{100, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &bound);
  const auto full =
      deliver_to_maildir(scratch.path(), "name", "", MemoryBody(std::string(1000, 'x')));
  setrlimit(RLIMIT_FSIZE, &before);
  static_cast<void>(std::signal(SIGXFSZ, handler));
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, Code::full);

  const auto broken = deliver_to_maildir(scratch.path(), "name", "", BrokenBody());
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().what, "the disk failed");
  EXPECT_TRUE(files_in(scratch.path() / "tmp").empty());
  EXPECT_TRUE(files_in(scratch.path() / "new").empty());
}

TEST(Maildir, fails_where_a_file_stands_in_the_place_of_a_folder) {
  const ScratchFolder scratch;
  scratch.write("box", "");
  EXPECT_FALSE(deliver_to_maildir(scratch.path() / "box", "name", "", MemoryBody("x")));
}

// A loop and a pool on this thread.
struct OneThread final : Loop, Workers {
  void post(std::move_only_function<void()> work) override { waiting.push_back(std::move(work)); }
  Instant now() const override { return {}; }
  std::unique_ptr<Timer> make_timer() override { return nullptr; }
  bool submit(std::move_only_function<void()> work) override {
    if (is_full) return false;
    waiting.push_back(std::move(work));
    return true;
  }
  void run() {
    while (!waiting.empty()) {
      auto work = std::move(waiting.front());
      waiting.pop_front();
      work();
    }
  }
  std::deque<std::move_only_function<void()>> waiting;
  bool is_full = false;
};

Task<void> deliver_into(MaildirMailbox& box, Loop& loop, MailboxPlace place, Result<void>& result) {
  auto body = std::make_shared<MemoryBody>("Subject: x\r\n\r\n");
  auto task = box.deliver(loop, std::move(place), std::move(body), std::string(prefix), id);
  result = co_await task;
}

Result<void> deliver(OneThread& thread, MaildirMailbox& box, MailboxPlace place) {
  Result<void> result = fail(Code::internal, "did not end");
  TaskGroup group;
  group.spawn(deliver_into(box, thread, std::move(place), result));
  thread.run();
  EXPECT_EQ(group.running(), 0u);
  return result;
}

TEST(MaildirMailbox, keeps_one_box_a_user_and_one_copy_a_message) {
  const ScratchFolder scratch;
  OneThread thread;
  MaildirMailbox box(scratch.path(), thread);
  ASSERT_TRUE(deliver(thread, box, {{"alice", "example.com"}, {}}));
  ASSERT_TRUE(deliver(thread, box, {{"Alice", "example.com"}, {}}));
  ASSERT_TRUE(deliver(thread, box, {{"bob", "example.com"}, {}}));
  const auto files = files_in(scratch.path() / "example.com" / "alice" / "new");
  ASSERT_EQ(files.size(), 1u);
  const std::string name = files[0].filename().string();
  EXPECT_TRUE(name.starts_with("1760000000." + id.text() + "-")) << name;
  EXPECT_TRUE(name.ends_with(".tapal")) << name;
  EXPECT_FALSE(name.contains(':'));
  EXPECT_EQ(files_in(scratch.path() / "example.com" / "bob" / "new").size(), 1u);
}

TEST(MaildirMailbox, refuses_names_that_lead_elsewhere) {
  const ScratchFolder scratch;
  OneThread thread;
  MaildirMailbox box(scratch.path() / "mail", thread);
  const mail::Address addresses[] = {{"..", "example.com"},
                                     {"../bob", "example.com"},
                                     {"a/b", "example.com"},
                                     {"", "example.com"},
                                     {".hidden", "example.com"},
                                     {"alice", ".."},
                                     {"alice", "[192.0.2.1]"},
                                     {"alice", "a/b"},
                                     {std::string("a\0b", 3), "example.com"}};
  for (const mail::Address& address : addresses) {
    SCOPED_TRACE(address.local + "@" + address.domain);
    const auto result = deliver(thread, box, {address, {}});
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Code::invalid);
  }
  EXPECT_FALSE(fs::exists(scratch.path() / "mail"));
}

TEST(MaildirMailbox, delivers_into_the_folder_an_alias_names_one_copy_for_each_user) {
  const ScratchFolder scratch;
  OneThread thread;
  MaildirMailbox box(scratch.path() / "mail", thread);
  const auto folder = (scratch.path() / "archive").string();
  ASSERT_TRUE(deliver(thread, box, {{"no/folder's name", "example.com"}, folder}));
  ASSERT_TRUE(deliver(thread, box, {{"bob", "example.com"}, folder}));
  ASSERT_TRUE(deliver(thread, box, {{"bob", "example.com"}, folder}));
  EXPECT_EQ(files_in(scratch.path() / "archive" / "new").size(), 2U);
  EXPECT_FALSE(fs::exists(scratch.path() / "mail"));
  const auto relative = deliver(thread, box, {{"bob", "example.com"}, "archive"});
  ASSERT_FALSE(relative);
  EXPECT_EQ(relative.error().code, Code::invalid);
}

TEST(MaildirMailbox, has_a_folder_for_junk_that_other_programs_know) {
  const ScratchFolder scratch;
  OneThread thread;
  MaildirMailbox box(scratch.path(), thread);
  ASSERT_TRUE(deliver(thread, box, {{"bob", "example.com"}, std::string(junk_folder)}));
  const auto junk = scratch.path() / "example.com" / "bob" / ".Junk";
  EXPECT_EQ(files_in(junk / "new").size(), 1U);
  EXPECT_TRUE(fs::is_regular_file(junk / "maildirfolder"));
  ASSERT_TRUE(deliver(thread, box, {{"bob", "example.com"}, {}}));
  const auto inbox = scratch.path() / "example.com" / "bob";
  EXPECT_EQ(files_in(inbox / "new").size(), 1U);
  EXPECT_FALSE(fs::exists(inbox / "maildirfolder"));
}

TEST(MaildirMailbox, says_so_when_too_much_waits) {
  const ScratchFolder scratch;
  OneThread thread;
  thread.is_full = true;
  MaildirMailbox box(scratch.path(), thread);
  const auto result = deliver(thread, box, {{"alice", "example.com"}, {}});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::full);
}

}  // namespace
}  // namespace tapal::files
