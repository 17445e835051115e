#include "drivers/files/tar_file.h"

#include <array>
#include <map>

#include <gtest/gtest.h>

#include "drivers/files/scratch_folder.h"

namespace tapal::files {
namespace {

namespace fs = std::filesystem;
using Contents = std::map<std::string, std::string>;

Result<void> write_tar(const fs::path& path, const Contents& contents) {
  TAPAL_TRY(const auto tar, TarWriter::create(path));
  for (const auto& [name, text] : contents) {
    TAPAL_CHECK(tar->begin({name, text.size()}));
    TAPAL_CHECK(tar->write(text));
  }
  return tar->finish();
}

Result<Contents> read_tar(const fs::path& path) {
  TAPAL_TRY(const auto tar, TarReader::open(path));
  Contents contents;
  for (;;) {
    TAPAL_TRY(const auto entry, tar->next());
    if (!entry) return contents;
    auto& text = contents[entry->name];
    std::array<char, 100> buffer{};
    for (;;) {
      TAPAL_TRY(const auto count, tar->read(buffer));
      if (count == 0) break;
      text.append(buffer.data(), count);
    }
    EXPECT_EQ(entry->bytes, text.size());
  }
}

TEST(TarFile, gives_back_what_was_put_in) {
  const ScratchFolder folder;
  const auto path = folder.path() / "a.tar";
  const Contents contents{
      {"empty", ""}, {"a/b", "text"}, {std::string(300, 'n') + "/\xff", std::string(200'000, 'x')}};
  const auto written = write_tar(path, contents);
  ASSERT_TRUE(written) << written.error().what;
  const auto read = read_tar(path);
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_EQ(*read, contents);
  EXPECT_EQ(fs::status(path).permissions(), fs::perms(0600));
  EXPECT_FALSE(fs::exists(folder.path() / "a.tar.part"));
}

TEST(TarFile, leaves_nothing_when_it_is_not_finished) {
  const ScratchFolder folder;
  {
    const auto tar = TarWriter::create(folder.path() / "a.tar");
    ASSERT_TRUE(tar);
    ASSERT_TRUE((*tar)->begin({"a", 4}));
    ASSERT_TRUE((*tar)->write("te"));
  }
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(TarFile, is_not_written_over_what_is_there) {
  const ScratchFolder folder;
  const auto path = folder.write("a.tar", "mine");
  const auto written = write_tar(path, {});
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, Code::denied);
  EXPECT_EQ(ScratchFolder::read(path), "mine");
}

TEST(TarFile, tells_that_a_file_has_more_bytes_than_it_said) {
  const ScratchFolder folder;
  const auto tar = TarWriter::create(folder.path() / "a.tar");
  ASSERT_TRUE(tar && (*tar)->begin({"a", 4}));
  EXPECT_FALSE((*tar)->write("too long"));
}

TEST(TarFile, is_refused_where_it_is_cut_off) {
  const ScratchFolder folder;
  const auto path = folder.path() / "a.tar";
  ASSERT_TRUE(
      write_tar(path, {{"first", std::string(700, 'a')}, {"second", std::string(10, 'b')}}));
  const auto whole = ScratchFolder::read(path);
  for (const std::size_t at : {1U, 511U, 513U, 1000U, 1700U, 2050U}) {
    const auto cut = read_tar(folder.write("cut.tar", whole.substr(0, at)));
    ASSERT_FALSE(cut) << at;
    EXPECT_EQ(cut.error().code, Code::invalid);
    EXPECT_TRUE(cut.error().what.contains("cut.tar")) << cut.error().what;
  }
}

TEST(TarFile, is_refused_when_it_is_none) {
  const ScratchFolder folder;
  for (const auto* text : {"", "not a tar", "\x1f\x8b\x08"})
    EXPECT_FALSE(read_tar(folder.write("x.tar", text))) << text;
  EXPECT_FALSE(read_tar(folder.path()));
  EXPECT_EQ(read_tar(folder.path() / "absent").error().code, Code::not_found);
}

}  // namespace
}  // namespace tapal::files
