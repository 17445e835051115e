#include "rules/provision/spf_merge.h"

#include <algorithm>
#include <random>

#include <gtest/gtest.h>

#include "protocols/mailauth/spf_record.h"
#include "values/text/ascii.h"

namespace tapal::provision {
namespace {

const std::vector<IpAddress> ours{*IpAddress::from_text("192.0.2.1"),
                                  *IpAddress::from_text("2001:db8::1")};

Result<std::string> merged(const std::vector<std::string_view>& records) {
  return merge_spf(records, ours);
}

TEST(SpfMerge, adds_our_addresses_where_they_are_reached) {
  struct Case {
    std::string_view published;
    std::string_view expected;
  };
  const std::string_view added = "ip4:192.0.2.1 ip6:2001:db8::1";
  const std::vector<Case> cases{
      {"v=spf1 include:_spf.google.com ~all", "v=spf1 include:_spf.google.com {} ~all"},
      {"v=spf1 -all", "v=spf1 {} -all"},
      {"v=spf1 -ip4:192.0.2.0/24 mx -all", "v=spf1 {} -ip4:192.0.2.0/24 mx -all"},
      {"v=spf1 a ?include:x.example -all", "v=spf1 a {} ?include:x.example -all"},
      {"v=spf1 mx", "v=spf1 mx {}"},
      {"v=spf1", "v=spf1 {}"},
      {"v=spf1 ", "v=spf1 {}"},
      {"v=spf1 redirect=x.example", "v=spf1 {} redirect=x.example"},
      {"v=spf1 exp=e.example a redirect=x.example", "v=spf1 exp=e.example a {} redirect=x.example"},
      {"v=spf1  a   -ALL", "v=spf1  a   {} -ALL"},
      {"V=SPF1 +all", "V=SPF1 {} +all"},
      {"v=spf1 all a", "v=spf1 {} all a"},
  };
  for (const auto& one : cases)
    EXPECT_EQ(merged({one.published}), fmt::format(fmt::runtime(one.expected), added))
        << one.published;
}

TEST(SpfMerge, leaves_a_record_that_names_them_byte_for_byte) {
  for (const std::string_view text :
       {"v=spf1 ip4:192.0.2.0/24  ip6:2001:db8::/32 include:x.example -all",
        "v=spf1 ip6:2001:db8::1 mx ip4:192.0.2.1 ~all"})
    EXPECT_EQ(merged({text}), text);
}

TEST(SpfMerge, makes_several_records_one_with_the_strictest_end) {
  EXPECT_EQ(merged({"v=spf1 include:a.example ~all", "v=spf1 mx include:a.example -all"}),
            "v=spf1 include:a.example mx ip4:192.0.2.1 ip6:2001:db8::1 -all");
  EXPECT_EQ(merged({"v=spf1 a", "v=spf1 mx"}), "v=spf1 a mx ip4:192.0.2.1 ip6:2001:db8::1");
}

TEST(SpfMerge, refuses_what_it_cannot_do_without_loss) {
  const std::vector<std::vector<std::string_view>> cases{
      {"v=spf1 ip4:192.0.2.300 -all"},
      {"v=spf1 a -all", "v=spf1 redirect=x.example"},
      {"v=spf1 a -all", "v=spf1 a exp=x.example -all"},
      {"v=spf1 a -all", "v=spf1 nonsense"},
  };
  for (const auto& records : cases) {
    const auto result = merged(records);
    ASSERT_FALSE(result) << records.back();
    EXPECT_EQ(result.error().code, Code::invalid);
  }
}

// Made-up records: nothing is lost, nothing loosened, and once is enough.
TEST(SpfMerge, never_drops_a_term) {
  const std::vector<std::string_view> words{"a",
                                            "mx/24",
                                            "-ip4:198.51.100.0/24",
                                            "include:a.example",
                                            "~include:b.example",
                                            "ip4:192.0.2.1",
                                            "ip6:2001:db8::/32",
                                            "?all",
                                            "-all",
                                            "exists:%{i}.x.example",
                                            "exp=e.example",
                                            "unknown=thing",
                                            "redirect=r.example"};
  std::mt19937 random(5);
  for (int round = 0; round < 5000; ++round) {
    std::string text = "v=spf1";
    for (auto left = random() % 7; left > 0; --left)
      text += fmt::format(" {}", words[random() % words.size()]);
    if (!mailauth::SpfRecord::parse(text)) continue;  // exp= or redirect= twice
    const auto once = merged({text});
    ASSERT_TRUE(once) << text;
    EXPECT_EQ(merged({*once}), *once) << text;
    for (const auto& address : ours) EXPECT_TRUE(spf_names_address(*once, address)) << *once;
    auto kept = text::words(*once);
    std::erase_if(kept, [&](std::string_view word) {
      return (word == "ip4:192.0.2.1" || word == "ip6:2001:db8::1") && !text.contains(word);
    });
    auto expected = text::words(text);
    // An address that stands behind the turning point is added in front, too.
    std::erase(kept, "ip4:192.0.2.1");
    std::erase(expected, "ip4:192.0.2.1");
    EXPECT_EQ(kept, expected) << text << " became " << *once;
  }
}

}  // namespace
}  // namespace tapal::provision
