#include "values/dns/record.h"

#include <gtest/gtest.h>

namespace tapal::dns {
namespace {

TEST(Type, goes_round_through_text) {
  for (unsigned number = 0; number <= 0xffff; ++number) {
    const Type type{static_cast<std::uint16_t>(number)};
    EXPECT_EQ(type_from_text(type_text(type)), type);
  }
  EXPECT_EQ(type_text(Type::mx), "MX");
  EXPECT_EQ(type_text(Type{999}), "TYPE999");
}

TEST(Type, is_read_in_either_case_and_by_number) {
  EXPECT_EQ(type_from_text("aaaa"), Type::aaaa);
  EXPECT_EQ(type_from_text("type15"), Type::mx);
  for (const std::string_view text : {"", "TYPE", "TYPE65536", "TYPE-1", "TYPEx", "NOPE"})
    EXPECT_EQ(type_from_text(text), std::nullopt) << text;
}

}  // namespace
}  // namespace tapal::dns
