#include "rules/bounce/classify_handover.h"

#include <gtest/gtest.h>

namespace tapal::bounce {
namespace {

TEST(ClassifyExit, tells_temporary_from_permanent_and_keeps_what_nobody_defined) {
  const struct {
    int code;
    Verdict verdict;
    std::string_view status;
  } cases[] = {
      {0, Verdict::accepted, "2.0.0"},    {1, Verdict::temporary, "4.3.0"},
      {2, Verdict::temporary, "4.3.0"},   {64, Verdict::temporary, "4.3.5"},
      {65, Verdict::permanent, "5.6.0"},  {66, Verdict::temporary, "4.3.0"},
      {67, Verdict::permanent, "5.1.1"},  {68, Verdict::permanent, "5.1.2"},
      {69, Verdict::permanent, "5.3.0"},  {70, Verdict::temporary, "4.3.0"},
      {71, Verdict::temporary, "4.3.0"},  {72, Verdict::temporary, "4.3.5"},
      {73, Verdict::temporary, "4.2.0"},  {74, Verdict::temporary, "4.3.0"},
      {75, Verdict::temporary, "4.3.0"},  {76, Verdict::permanent, "5.5.0"},
      {77, Verdict::permanent, "5.7.0"},  {78, Verdict::temporary, "4.3.5"},
      {100, Verdict::permanent, "5.3.0"}, {111, Verdict::temporary, "4.3.0"},
      {126, Verdict::temporary, "4.3.5"}, {127, Verdict::temporary, "4.3.5"},
      {137, Verdict::temporary, "4.3.0"}, {255, Verdict::temporary, "4.3.0"},
  };
  for (const auto& c : cases) {
    const auto judged = classify_exit(c.code, "some words");
    EXPECT_EQ(judged.verdict, c.verdict) << c.code;
    EXPECT_EQ(judged.status, c.status) << c.code;
  }
}

TEST(ClassifyExit, believes_a_status_at_the_head_of_the_last_line) {
  const struct {
    int code;
    std::string_view line;
    std::string_view status;
  } cases[] = {
      {1, "5.7.1 not wanted", "5.7.1"},
      {69, "4.2.2: over quota for now", "4.2.2"},
      {75, "5.1.1", "5.1.1"},
      {0, "5.7.1 said by one that did its work", "2.0.0"},
      {1, "2.0.0 fine", "4.3.0"},
      {1, "3.0.0 what", "4.3.0"},
      {1, "5.7 x", "4.3.0"},
      {1, "5.7.1000 x", "4.3.0"},
      {1, "5.7.1.1 x", "4.3.0"},
      {1, "5..1 x", "4.3.0"},
      {1, "55.7.1 x", "4.3.0"},
      {1, " 5.7.1 x", "4.3.0"},
      {1, "", "4.3.0"},
  };
  for (const auto& c : cases) EXPECT_EQ(classify_exit(c.code, c.line).status, c.status) << c.line;
}

TEST(ClassifyHttpStatus, takes_2xx_gives_up_at_most_4xx_and_waits_for_the_rest) {
  const struct {
    int status;
    Verdict verdict;
    std::string_view code;
  } cases[] = {
      {200, Verdict::accepted, "2.0.0"},  {204, Verdict::accepted, "2.0.0"},
      {299, Verdict::accepted, "2.0.0"},  {302, Verdict::temporary, "4.3.5"},
      {400, Verdict::permanent, "5.3.0"}, {401, Verdict::permanent, "5.7.0"},
      {403, Verdict::permanent, "5.7.0"}, {404, Verdict::permanent, "5.1.1"},
      {408, Verdict::temporary, "4.4.2"}, {410, Verdict::permanent, "5.1.1"},
      {413, Verdict::permanent, "5.3.4"}, {418, Verdict::permanent, "5.3.0"},
      {425, Verdict::temporary, "4.4.5"}, {429, Verdict::temporary, "4.4.5"},
      {500, Verdict::temporary, "4.3.0"}, {503, Verdict::temporary, "4.3.0"},
      {507, Verdict::temporary, "4.3.1"}, {100, Verdict::temporary, "4.3.0"},
      {0, Verdict::temporary, "4.3.0"},   {999, Verdict::temporary, "4.3.0"},
  };
  for (const auto& c : cases) {
    const auto judged = classify_http_status(c.status);
    EXPECT_EQ(judged.verdict, c.verdict) << c.status;
    EXPECT_EQ(judged.status, c.code) << c.status;
  }
}

}  // namespace
}  // namespace tapal::bounce
