#include "values/text/pattern_set.h"

namespace tapal::text {
namespace {

TEST(PatternSet, finds_the_first_in_the_order_given) {
  const std::vector<std::string> patterns{
      "mailbox full", "^552 ", any_of(std::vector<std::string>{"quota", "x{3}"})};
  const auto set = PatternSet::compile(patterns);
  ASSERT_TRUE(set);
  EXPECT_EQ(set->first_match("552 5.2.2 Mailbox FULL"), 0U);
  EXPECT_EQ(set->first_match("552 over quota"), 1U);
  EXPECT_EQ(set->first_match("550 over Quota"), 2U);
  EXPECT_EQ(set->first_match("550 \xFF\xFE xXx"), 2U);
  EXPECT_EQ(set->first_match("550 no"), std::nullopt);
  EXPECT_EQ(PatternSet().first_match("552 "), std::nullopt);
  EXPECT_EQ(PatternSet::compile({})->first_match(""), std::nullopt);
}

TEST(PatternSet, looks_at_the_head_of_a_long_text_only) {
  const auto set = PatternSet::compile(std::vector<std::string>{"end"});
  ASSERT_TRUE(set);
  EXPECT_TRUE(set->first_match(std::string(pattern_text_bytes_max - 3, 'x') + "end"));
  EXPECT_FALSE(set->first_match(std::string(pattern_text_bytes_max, 'x') + "end"));
}

TEST(PatternProblem, tells_what_is_wrong) {
  EXPECT_EQ(pattern_problem("^55[0-4] .*no"), "");
  EXPECT_NE(pattern_problem(""), "");
  EXPECT_NE(pattern_problem("(open"), "");
  EXPECT_NE(pattern_problem("(a)\\1"), "");  // would need more than linear time
  EXPECT_NE(pattern_problem(std::string(pattern_bytes_max + 1, 'x')), "");
}

}  // namespace
}  // namespace tapal::text
