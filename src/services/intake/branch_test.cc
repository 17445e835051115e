#include "services/intake/branch.h"

#include <gtest/gtest.h>

namespace tapal::intake {
namespace {

Placed placed(std::string_view to, std::string_view via = {}) {
  Placed made{.recipient = {.address = mail::parse_address(to).value()}};
  if (!via.empty()) made.via_alias = mail::parse_address(via).value();
  return made;
}

TEST(Branch, is_one_for_what_stays_and_one_for_each_alias_that_passes_on) {
  const std::vector<Placed> recipients{placed("x@far.example", "info@own.example"),
                                       placed("ann@own.example"),
                                       placed("y@far.example", "all@own.example"),
                                       placed("z@far.example", "info@own.example"),
                                       placed("bob@own.example")};
  EXPECT_EQ(count_branches(recipients), 3U);
  const auto branches = branches_of(recipients);
  ASSERT_EQ(branches.size(), 3U);
  const auto text = [](const Branch& branch) {
    std::string all = branch.alias ? branch.alias->text() + ":" : "stays:";
    for (const auto& recipient : branch.recipients) all += " " + recipient.address.text();
    return all;
  };
  EXPECT_EQ(text(branches[0]), "stays: ann@own.example bob@own.example");
  EXPECT_EQ(text(branches[1]), "info@own.example: x@far.example z@far.example");
  EXPECT_EQ(text(branches[2]), "all@own.example: y@far.example");
}

TEST(Branch, is_missing_where_nobody_stays) {
  const auto branches = branches_of({placed("x@far.example", "info@own.example")});
  ASSERT_EQ(branches.size(), 1U);
  EXPECT_TRUE(branches[0].alias);
}

}  // namespace
}  // namespace tapal::intake
