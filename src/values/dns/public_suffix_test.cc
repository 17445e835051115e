#include "values/dns/public_suffix.h"

#include <filesystem>
#include <fstream>
#include <regex>

#include <gtest/gtest.h>

#include "values/text/idna.h"

namespace tapal::dns {
namespace {

TEST(PublicSuffixes, finds_the_domain_that_was_registered) {
  const auto list = PublicSuffixes::from_text("// a list\ncom\nco.uk\n*.ck\n!www.ck\n中国\n");
  ASSERT_TRUE(list) << list.error().what;
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"a.b.example.com", "example.com"},
      {"example.com", "example.com"},
      {"com", ""},
      {"x.example.co.uk", "example.co.uk"},
      {"co.uk", ""},
      {"a.b.c.ck", "b.c.ck"},
      {"c.ck", ""},
      {"x.www.ck", "www.ck"},
      {"a.xn--85x722f.xn--fiqs8s", "xn--85x722f.xn--fiqs8s"},
      {"xn--fiqs8s", ""},
      {"a.b.unknown", "b.unknown"},
      {"unknown", ""},
      {"", ""},
  };
  for (const auto& [name, registered] : cases)
    EXPECT_EQ(list->registrable(name).value_or(""), registered) << name;
}

TEST(PublicSuffixes, knows_what_is_listed) {
  const auto list = PublicSuffixes::from_text("com\nco.uk\n*.ck\n!www.ck\n");
  ASSERT_TRUE(list);
  for (const char* name : {"com", "co.uk", "any.ck"}) EXPECT_TRUE(list->is_listed(name)) << name;
  for (const char* name : {"example.com", "www.ck", "unknown", "a.unknown", ""})
    EXPECT_FALSE(list->is_listed(name)) << name;
}

TEST(PublicSuffixes, refuses_what_is_no_list) {
  for (const std::string& text :
       {std::string(), std::string("// nothing\n"), std::string(5UL << 20U, 'a')}) {
    const auto list = PublicSuffixes::from_text(text);
    ASSERT_FALSE(list);
    EXPECT_EQ(list.error().code, Code::invalid);
  }
}

TEST(PublicSuffixes, come_with_the_library) {
  const auto list = PublicSuffixes::built_in();
  EXPECT_EQ(list.registrable("www.example.co.uk"), "example.co.uk");
}

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string to_ascii(const std::string& name) {
  return text::domain_to_ascii(name).value_or("");  // a leading dot makes no name
}

TEST(PublicSuffixes, passes_the_checks_that_come_with_the_list) {
  const char* folder = std::getenv("TAPAL_CORPORA");
  const auto root =
      (folder != nullptr ? std::filesystem::path(folder)
                         : std::filesystem::path(TAPAL_SOURCE_FOLDER) / "../shared/corpora") /
      "psl";
  const std::string tests = read(root / "tests/test_psl.txt");
  if (tests.empty()) GTEST_SKIP() << "the corpora are absent: set TAPAL_CORPORA";
  const auto list = PublicSuffixes::from_text(read(root / "public_suffix_list.dat"));
  ASSERT_TRUE(list) << list.error().what;
  const std::regex check(R"((?:^|\n)checkPublicSuffix\('?([^',]*)'?, '?([^')]*)'?\);)");
  int checks = 0;
  for (std::sregex_iterator match(tests.begin(), tests.end(), check), end; match != end; ++match) {
    ++checks;
    const std::string name = (*match)[1] == "null" ? "" : (*match)[1].str();
    const std::string expected = (*match)[2] == "null" ? "" : to_ascii((*match)[2].str());
    EXPECT_EQ(list->registrable(to_ascii(name)).value_or(""), expected) << name;
  }
  EXPECT_GE(checks, 78);
}

}  // namespace
}  // namespace tapal::dns
