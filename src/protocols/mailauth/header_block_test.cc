#include "protocols/mailauth/header_block.h"

#include <gtest/gtest.h>

namespace tapal::mailauth {
namespace {

TEST(SplitHeaderBlock, cuts_at_lines_that_do_not_go_on) {
  const auto fields =
      split_header_block("From: a\r\nTo : b,\r\n\tc,\r\n d\r\nno colon\r\nX:\r\n\r\nbody: x\r\n");
  ASSERT_EQ(fields.size(), 4U);
  EXPECT_EQ(fields[0].name, "From");
  EXPECT_EQ(fields[0].raw, "From: a");
  EXPECT_EQ(fields[1].name, "To");
  EXPECT_EQ(fields[1].raw, "To : b,\r\n\tc,\r\n d");
  EXPECT_EQ(fields[2].name, "");
  EXPECT_EQ(fields[2].raw, "no colon");
  EXPECT_EQ(fields[3].raw, "X:");
}

TEST(SplitHeaderBlock, takes_a_last_line_without_its_end) {
  EXPECT_EQ(split_header_block("From: a").front().raw, "From: a");
  EXPECT_EQ(split_header_block("From: a\r\n b").front().raw, "From: a\r\n b");
  EXPECT_TRUE(split_header_block("").empty());
  EXPECT_TRUE(split_header_block("\r\nFrom: a\r\n").empty());
}

TEST(SplitHeaderBlock, leaves_bare_cr_and_lf_inside_a_field) {
  const auto fields = split_header_block("Subject: a\nFrom: b\rTo: c\r\n");
  ASSERT_EQ(fields.size(), 1U);
  EXPECT_EQ(fields[0].raw, "Subject: a\nFrom: b\rTo: c");
}

TEST(FieldPicker, goes_from_the_bottom_up) {
  const auto fields =
      split_header_block("Received: 1\r\nFrom: x\r\nreceived: 2\r\nRECEIVED: 3\r\n");
  const FieldIndex index(fields);
  EXPECT_EQ(index.instances("rEceived").size(), 3U);
  FieldPicker picker(index);
  EXPECT_EQ(picker.pick("Received")->raw, "RECEIVED: 3");
  EXPECT_EQ(picker.pick("From")->raw, "From: x");
  EXPECT_EQ(picker.pick("received")->raw, "received: 2");
  EXPECT_EQ(picker.pick("Received")->raw, "Received: 1");
  EXPECT_EQ(picker.pick("Received"), nullptr);
  EXPECT_EQ(picker.pick("From"), nullptr);
  EXPECT_EQ(picker.pick("Subject"), nullptr);
}

TEST(FieldPicker, never_hands_out_the_one_to_skip) {
  const auto fields = split_header_block("A: 1\r\nA: 2\r\nA: 3\r\n");
  const FieldIndex index(fields);
  FieldPicker picker(index, &fields[1]);
  EXPECT_EQ(picker.pick("a")->raw, "A: 3");
  EXPECT_EQ(picker.pick("a")->raw, "A: 1");
  EXPECT_EQ(picker.pick("a"), nullptr);
}

}  // namespace
}  // namespace tapal::mailauth
