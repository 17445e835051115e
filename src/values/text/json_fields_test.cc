#include "values/text/json_fields.h"

#include <gtest/gtest.h>

namespace tapal::text {
namespace {

TEST(JsonFields, are_read_by_name) {
  const auto object =
      parse_object(
          R"({"t":"a\u0000b","n":-7,"f":true,"o":{"x":1},"a":[1],"l":["one",2,"three","four"]})")
          .value();
  EXPECT_EQ(text_at(object, "t"), std::string("a\0b", 3));
  EXPECT_EQ(number_at(object, "n"), -7);
  EXPECT_EQ(flag_at(object, "f"), true);
  ASSERT_NE(object_at(object, "o"), nullptr);
  EXPECT_EQ(number_at(*object_at(object, "o"), "x"), 1);
  ASSERT_NE(array_at(object, "a"), nullptr);
  EXPECT_EQ(array_at(object, "a")->size(), 1U);
  EXPECT_EQ(texts_at(object, "l"), (std::vector<std::string>{"one", "three", "four"}));
  EXPECT_EQ(texts_at(object, "l", 2), (std::vector<std::string>{"one", "three"}));
}

TEST(JsonFields, of_another_type_or_missing_are_absent) {
  for (const auto* json : {"{}", R"({"x":null})", R"({"x":{"y":[]}})", R"({"x":1.5})"}) {
    const auto object = parse_object(json).value();
    EXPECT_EQ(text_at(object, "x"), "");
    EXPECT_EQ(number_at(object, "x"), std::nullopt);
    EXPECT_EQ(flag_at(object, "x"), std::nullopt);
    EXPECT_EQ(array_at(object, "x"), nullptr);
    EXPECT_TRUE(texts_at(object, "x").empty());
  }
  EXPECT_EQ(object_at(parse_object(R"({"x":[1]})").value(), "x"), nullptr);
  EXPECT_EQ(number_at(parse_object(R"({"x":18446744073709551615})").value(), "x"), std::nullopt);
}

TEST(JsonFields, refuse_what_is_no_object) {
  for (const auto* json : {"", "[]", "1", "{", R"({"a":1} x)", "{\"a\":\"\xff\"}"})
    EXPECT_EQ(parse_object(json).error().code, Code::invalid) << json;
  EXPECT_TRUE(parse_object(R"({"a":[[1]]})", 3));
  EXPECT_FALSE(parse_object(R"({"a":[[1]]})", 2));
}

}  // namespace
}  // namespace tapal::text
