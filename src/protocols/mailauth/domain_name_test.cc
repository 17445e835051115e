#include "protocols/mailauth/domain_name.h"

#include <array>

#include <gtest/gtest.h>

namespace tapal::mailauth {
namespace {

struct NameCase {
  std::string name;
  std::string result;  // empty: refused
};

TEST(ComparableName, is_lower_case_ascii) {
  const std::array cases = {
      NameCase{"Example.COM", "example.com"},
      NameCase{"s1_2048", "s1_2048"},
      NameCase{"b\xc3\xbc"
               "cher.example",
               "xn--bcher-kva.example"},
      NameCase{"a", "a"},
      NameCase{"", ""},
      NameCase{"a..b", ""},
      NameCase{".a", ""},
      NameCase{"a.", ""},
      NameCase{"a b", ""},
      NameCase{"a/b", ""},
      NameCase{"*.a", ""},
      NameCase{"\xff.example", ""},
      NameCase{std::string(63, 'a') + ".b", std::string(63, 'a') + ".b"},
      NameCase{std::string(64, 'a') + ".b", ""},
      NameCase{std::string(2000, 'a'), ""},
  };
  for (const NameCase& c : cases)
    EXPECT_EQ(comparable_name(c.name).value_or(""), c.result) << c.name;
}

TEST(IsSameOrBelow, ends_at_a_label) {
  EXPECT_TRUE(is_same_or_below("example.com", "example.com"));
  EXPECT_TRUE(is_same_or_below("a.b.example.com", "example.com"));
  EXPECT_FALSE(is_same_or_below("badexample.com", "example.com"));
  EXPECT_FALSE(is_same_or_below("com", "example.com"));
  EXPECT_FALSE(is_same_or_below("example.com.evil", "example.com"));
}

}  // namespace
}  // namespace tapal::mailauth
