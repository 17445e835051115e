#include "rules/provision/dmarc_edit.h"

#include <gtest/gtest.h>

namespace tapal::provision {
namespace {

using mailauth::DmarcPolicy;

TEST(DmarcEdit, changes_the_policy_and_nothing_else) {
  EXPECT_EQ(dmarc_with_policy("v=DMARC1; p=none; rua=mailto:a@x.example", DmarcPolicy::reject),
            "v=DMARC1; p=reject; rua=mailto:a@x.example");
  EXPECT_EQ(dmarc_with_policy("v=DMARC1;sp=none ; P = none ;", DmarcPolicy::quarantine),
            "v=DMARC1;sp=none ; P = quarantine ;");
  EXPECT_EQ(dmarc_with_policy("v=DMARC1; rua=mailto:a@x.example", DmarcPolicy::none),
            "v=DMARC1; p=none; rua=mailto:a@x.example");
  EXPECT_EQ(dmarc_with_policy("v=DMARC1", DmarcPolicy::none), "v=DMARC1; p=none");
}

TEST(DmarcEdit, adds_reports_to_those_that_are_there) {
  const std::vector<std::string> ours{"mailto:b@y.example"};
  EXPECT_EQ(with_reports("v=DMARC1; p=none", ours), "v=DMARC1; p=none; rua=mailto:b@y.example");
  EXPECT_EQ(with_reports("v=DMARC1; p=none; rua=mailto:a@x.example; fo=1", ours),
            "v=DMARC1; p=none; rua=mailto:a@x.example,mailto:b@y.example; fo=1");
  EXPECT_EQ(with_reports("v=DMARC1; rua=mailto:b@y.example", ours),
            "v=DMARC1; rua=mailto:b@y.example");
}

TEST(DmarcEdit, makes_several_one_that_is_as_strict_as_the_strictest) {
  const std::vector<std::string_view> texts{"v=DMARC1; p=quarantine; rua=mailto:a@x.example",
                                            "v=DMARC1; p=reject",
                                            "v=DMARC1; p=reject; rua=mailto:b@y.example",
                                            "v=DMARC1; p=oops"};
  EXPECT_EQ(merge_dmarc(texts), "v=DMARC1; p=reject; rua=mailto:a@x.example,mailto:b@y.example");
  EXPECT_EQ(merge_dmarc(std::vector<std::string_view>{"v=DMARC1; p=oops"}), "");
}

}  // namespace
}  // namespace tapal::provision
