#include "values/mail/header_edit.h"

#include "values/text/ascii.h"

namespace tapal::mail {
namespace {

using Kind = HeaderEdit::Kind;

constexpr std::string_view header =
    "Received: one\r\n\tby two\r\nSubject: hi\r\nX-A: 1\r\nx-a : 2\r\nTo: b\r\n";

struct Case {
  const char* name;
  std::vector<HeaderEdit> edits;
  const char* result;
};

TEST(HeaderEdit, changes_fields_by_name_and_place) {
  const std::vector<Case> cases = {
      {"nothing", {}, "Received: one\r\n\tby two\r\nSubject: hi\r\nX-A: 1\r\nx-a : 2\r\nTo: b\r\n"},
      {"append",
       {{Kind::append, "N", " v"}},
       "Received: one\r\n\tby two\r\nSubject: hi\r\nX-A: 1\r\nx-a : 2\r\nTo: b\r\nN: v\r\n"},
      {"on top",
       {{Kind::insert, "N", " v", 0}},
       "N: v\r\nReceived: one\r\n\tby two\r\nSubject: hi\r\nX-A: 1\r\nx-a : 2\r\nTo: b\r\n"},
      {"below the first",
       {{Kind::insert, "N", " v", 1}},
       "Received: one\r\n\tby two\r\nN: v\r\nSubject: hi\r\nX-A: 1\r\nx-a : 2\r\nTo: b\r\n"},
      {"below all",
       {{Kind::insert, "N", " v", 99}},
       "Received: one\r\n\tby two\r\nSubject: hi\r\nX-A: 1\r\nx-a : 2\r\nTo: b\r\nN: v\r\n"},
      {"the second of a name",
       {{Kind::replace, "X-A", " 3", 2}},
       "Received: one\r\n\tby two\r\nSubject: hi\r\nX-A: 1\r\nX-A: 3\r\nTo: b\r\n"},
      {"a third there is not",
       {{Kind::replace, "X-A", " 3", 3}},
       "Received: one\r\n\tby two\r\nSubject: hi\r\nX-A: 1\r\nx-a : 2\r\nTo: b\r\nX-A: 3\r\n"},
      {"a folded field goes whole",
       {{Kind::remove, "received", "", 1}},
       "Subject: hi\r\nX-A: 1\r\nx-a : 2\r\nTo: b\r\n"},
      {"all of a name",
       {{Kind::remove, "X-A", "", 0}},
       "Received: one\r\n\tby two\r\nSubject: hi\r\nTo: b\r\n"},
      {"the last of a name",
       {{Kind::remove, "X-A", "", -1}},
       "Received: one\r\n\tby two\r\nSubject: hi\r\nX-A: 1\r\nTo: b\r\n"},
      {"none of that name",
       {{Kind::remove, "X", "", 1}},
       "Received: one\r\n\tby two\r\nSubject: hi\r\nX-A: 1\r\nx-a : 2\r\nTo: b\r\n"},
      {"one after the other",
       {{Kind::remove, "X-A", "", 0}, {Kind::append, "X-A", " 9"}},
       "Received: one\r\n\tby two\r\nSubject: hi\r\nTo: b\r\nX-A: 9\r\n"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    const auto edited = edit_header(header, c.edits);
    ASSERT_TRUE(edited) << edited.error().what;
    EXPECT_EQ(*edited, c.result);
  }
}

TEST(HeaderEdit, keeps_every_body_inside_its_field) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {" a\n\tb", "N: a\r\n\tb\r\n"},
      {" a\r\n b", "N: a\r\n b\r\n"},
      {" a\nBcc: x", "N: a\r\n\tBcc: x\r\n"},
      {" a\n\nbody", "N: a\r\n\tbody\r\n"},
      {" a\r\rb", "N: ab\r\n"},
      {std::string(" a\0b", 4), "N: ab\r\n"},
      {" a\n \n", "N: a\r\n"},
      {"", "N:\r\n"},
      {"\nx", "N:\r\n\tx\r\n"},
  };
  for (const auto& [body, result] : cases) {
    SCOPED_TRACE(text::printable(body));
    EXPECT_EQ(edit_header("", std::vector<HeaderEdit>{{Kind::append, "N", body}}), result);
  }
}

TEST(HeaderEdit, refuses_names_that_cannot_be_and_too_much) {
  for (const std::string name : {"", "a b", "a:b", "a\n", "\xc3\xbc", "a\x7f"}) {
    SCOPED_TRACE(text::printable(name));
    const auto edited = edit_header(header, std::vector<HeaderEdit>{{Kind::append, name, " x"}});
    ASSERT_FALSE(edited);
    EXPECT_EQ(edited.error().code, Code::invalid);
  }
  const HeaderEdit large{Kind::append, "N", std::string(edited_header_bytes_max, 'x'), 0};
  EXPECT_EQ(edit_header(header, std::vector{large}).error().code, Code::full);
}

TEST(FieldTexts, are_the_header_again) {
  for (const std::string_view text : {header,
                                      std::string_view("a\r\n"),
                                      std::string_view(" a"),
                                      std::string_view("a\r\n\tb"),
                                      std::string_view("")}) {
    std::string joined;
    for (const auto field : field_texts(text)) joined += field;
    EXPECT_EQ(joined, text);
  }
  EXPECT_EQ(field_texts(header).size(), 5U);
}

}  // namespace
}  // namespace tapal::mail
