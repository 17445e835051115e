#include "protocols/mailauth/tag_list.h"

#include <array>

#include <gtest/gtest.h>

namespace tapal::mailauth {
namespace {

TEST(TagList, reads_names_and_values_without_the_white_space_around_them) {
  const auto list = TagList::parse(" v=1; a =\r\n\trsa-sha256 ;b= dzdV\r\n yOfA;empty=;x_1=a:b ");
  ASSERT_TRUE(list) << list.error().what;
  EXPECT_EQ(list->tags().size(), 5U);
  EXPECT_EQ(list->value("v"), "1");
  EXPECT_EQ(list->value("a"), "rsa-sha256");
  EXPECT_EQ(list->value("b"), "dzdV\r\n yOfA");
  EXPECT_EQ(list->value("x_1"), "a:b");
  EXPECT_NE(list->find("empty"), nullptr);
  EXPECT_EQ(list->value("empty"), "");
  EXPECT_EQ(list->find("V"), nullptr) << "names keep their case (RFC 6376 section 3.2)";
}

TEST(TagList, tells_where_everything_between_equals_and_semicolon_stands) {
  const std::string text = "a=1; b = \tQUJD\r\n  ;bh=x";
  const auto list = TagList::parse(text);
  ASSERT_TRUE(list);
  const Tag& tag = *list->find("b");
  EXPECT_EQ(text.substr(0, tag.begin) + text.substr(tag.end), "a=1; b =;bh=x");
}

struct ListCase {
  std::string name;
  std::string text;
  bool good = false;
};

TEST(TagList, holds_to_the_grammar_of_rfc_6376_section_3_2) {
  const std::array cases = {
      ListCase{"one tag", "v=1", true},
      ListCase{"a semicolon at the end", "v=1;", true},
      ListCase{"white space behind it", "v=1; \r\n ", true},
      ListCase{"spaces inside a value", "n=some words here", true},
      ListCase{"equals inside a value", "p=QUJDRA==", true},
      ListCase{"UTF-8 (RFC 8616)",
               "d=b\xc3\xbc"
               "cher.example",
               true},
      ListCase{"unknown tags", "v=1; zebra=stripes", true},
      ListCase{"nothing", "", false},
      ListCase{"only white space", "  ", false},
      ListCase{"only a semicolon", ";", false},
      ListCase{"an empty tag between", "v=1;;a=2", false},
      ListCase{"two semicolons at the end", "v=1;;", false},
      ListCase{"no equals", "v", false},
      ListCase{"no name", "=1", false},
      ListCase{"a name that begins with a digit", "1v=1", false},
      ListCase{"a name with a hyphen", "a-b=1", false},
      ListCase{"a name with a space", "a b=1", false},
      ListCase{"a tag twice", "v=1; a=2; v=1", false},
      ListCase{"NUL", std::string("v=1\0", 4), false},
      ListCase{"DEL", "v=1\x7f", false},
      ListCase{"CRLF without white space", "v=1;\r\na=2", false},
      ListCase{"bare LF", "v=1;\n a=2", false},
      ListCase{"bare CR", "v=1;\r a=2", false},
      ListCase{"just short enough", "n=" + std::string(tag_list_bytes_max - 2, 'x'), true},
      ListCase{"too long", "n=" + std::string(tag_list_bytes_max - 1, 'x'), false},
  };
  for (const ListCase& c : cases) EXPECT_EQ(TagList::parse(c.text).has_value(), c.good) << c.name;
}

TEST(TagList, takes_64_tags_and_no_more) {
  std::string text;
  for (std::size_t i = 0; i < tags_max; ++i) text += "a" + std::to_string(i) + "=1;";
  EXPECT_TRUE(TagList::parse(text));
  EXPECT_FALSE(TagList::parse(text + "b=1"));
}

TEST(ColonList, trims_its_parts_and_keeps_empty_ones) {
  EXPECT_EQ(colon_list("from : to:\r\n subject"),
            (std::vector<std::string_view>{"from", "to", "subject"}));
  EXPECT_EQ(colon_list(" a::b "), (std::vector<std::string_view>{"a", "", "b"}));
  EXPECT_EQ(colon_list(""), (std::vector<std::string_view>{""}));
}

TEST(Base64Value, may_be_folded_and_lack_its_padding) {
  for (const std::string_view text : {"Zm9vYg==", "Zm9vYg", " Zm9v\r\n\tYg = =", "Zm9v Yg"}) {
    EXPECT_EQ(from_base64_value(text), "foob") << text;
  }
  EXPECT_EQ(from_base64_value(""), "");
  for (const std::string_view text : {"Zm9vYg=", "Zm9vY", "Zm9vYh==", "Zm9v*", "=", "Zm==9v"}) {
    EXPECT_FALSE(from_base64_value(text)) << text;
  }
}

}  // namespace
}  // namespace tapal::mailauth
