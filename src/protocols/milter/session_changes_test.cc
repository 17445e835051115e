// What filters change.
#include "protocols/milter/session.h"
#include "protocols/milter/test_filter.h"

namespace tapal::milter {
namespace {

using std::string_literals::operator""s;
using Kind = mail::HeaderEdit::Kind;

mail::Address address(std::string_view text) { return mail::parse_address(text).value(); }

struct ChangeCase {
  const char* name;
  std::string said;
  std::function<void(Outcome&)> expected;
};

TEST(MilterSession, takes_in_all_changes) {
  const auto edit = [](Kind kind, const char* name, const char* body, std::int32_t place) {
    return [=](Outcome& o) { o.edits = {{kind, name, body, place}}; };
  };
  const std::vector<ChangeCase> cases = {
      {"add a field", answer(Answer::add_header, "X\0v\0"s), edit(Kind::append, "X", " v", 0)},
      {"insert on top",
       answer(Answer::insert_header, number(0) + "X\0v\0"s),
       edit(Kind::insert, "X", " v", 0)},
      {"insert below our Received",
       answer(Answer::insert_header, number(1) + "X\0v\0"s),
       edit(Kind::insert, "X", " v", 0)},
      {"insert further down",
       answer(Answer::insert_header, number(4) + "X\0v\0"s),
       edit(Kind::insert, "X", " v", 3)},
      {"change a field",
       answer(Answer::change_header, number(2) + "X\0v\0"s),
       edit(Kind::replace, "X", " v", 2)},
      {"delete a field",
       answer(Answer::change_header, number(1) + "X\0\0"s),
       edit(Kind::remove, "X", "", 1)},
      {"a place of zero",
       answer(Answer::change_header, number(0) + "X\0v\0"s),
       edit(Kind::replace, "X", " v", 1)},
      {"a huge place",
       answer(Answer::change_header, number(0xFFFFFFFF) + "X\0v\0"s),
       edit(Kind::replace, "X", " v", 1'000'000)},
      {"add a recipient",
       answer(Answer::add_recipient, "<new@rcpt.example>\0"s),
       [](Outcome& o) { o.added_recipients = {address("new@rcpt.example")}; }},
      {"without brackets",
       answer(Answer::add_recipient, "new@rcpt.example\0"s),
       [](Outcome& o) { o.added_recipients = {address("new@rcpt.example")}; }},
      {"with arguments",
       answer(Answer::add_recipient_with_arguments, "<new@rcpt.example>\0NOTIFY=NEVER\0"s),
       [](Outcome& o) { o.added_recipients = {address("new@rcpt.example")}; }},
      {"remove a recipient",
       answer(Answer::remove_recipient, "<eve@rcpt.example>\0"s),
       [](Outcome& o) { o.removed_recipients = {address("eve@rcpt.example")}; }},
      {"another sender",
       answer(Answer::change_from, "<x@y.example>\0BODY=8BITMIME\0"s),
       [](Outcome& o) { o.return_path = address("x@y.example"); }},
      {"no sender",
       answer(Answer::change_from, "<>\0"s),
       [](Outcome& o) { o.return_path.emplace(std::nullopt); }},
      {"another body",
       answer(Answer::replace_body, "one ") + answer(Answer::replace_body, "two"),
       [](Outcome& o) { o.body = "one two"; }},
      {"an empty body", answer(Answer::replace_body), [](Outcome& o) { o.body = ""; }},
      {"quarantine",
       answer(Answer::quarantine, "odd\0"s),
       [](Outcome& o) { o.quarantine = "odd"; }},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    Outcome expected;
    c.expected(expected);
    for (const std::size_t piece : {std::size_t{1}, SIZE_MAX}) {
      TestFilter filter;
      filter.answers['E'] = {c.said + answer(Answer::proceed)};
      const auto played = play(filter, {test_message()}, "x", piece);
      EXPECT_EQ(played.failure, "");
      ASSERT_EQ(played.outcomes.size(), 1U);
      EXPECT_EQ(played.outcomes[0], expected);
    }
  }
}

TEST(MilterSession, allows_only_the_changes_that_were_negotiated) {
  const std::vector<std::pair<std::uint32_t, std::string>> cases = {
      {ability::add_headers, answer(Answer::add_header, "X\0v\0"s)},
      {ability::add_headers, answer(Answer::insert_header, number(1) + "X\0v\0"s)},
      {ability::change_headers, answer(Answer::change_header, number(1) + "X\0v\0"s)},
      {ability::change_body, answer(Answer::replace_body, "b")},
      {ability::add_recipients, answer(Answer::add_recipient, "<a@b.example>\0"s)},
      {ability::add_recipients_with_arguments,
       answer(Answer::add_recipient_with_arguments, "<a@b.example>\0\0"s)},
      {ability::remove_recipients, answer(Answer::remove_recipient, "<a@b.example>\0"s)},
      {ability::change_from, answer(Answer::change_from, "<a@b.example>\0"s)},
      {ability::quarantine, answer(Answer::quarantine, "q\0"s)},
  };
  for (const auto& [needed, said] : cases) {
    SCOPED_TRACE(said[4]);
    TestFilter filter;
    filter.answers['E'] = {said + answer(Answer::proceed)};
    filter.abilities = needed;
    EXPECT_EQ(play(filter, {test_message()}).failure, "");
    TestFilter other;
    other.answers = filter.answers;
    other.abilities = ability::all & ~needed;
    EXPECT_EQ(play(other, {test_message()}).failure,
              "it makes a change that it did not ask for in its options");
  }
}

TEST(MilterSession, bounds_what_a_filter_may_change) {
  TestFilter filter;
  std::string said;
  for (int i = 0; i < 5; ++i) said += answer(Answer::add_header, "X\0v\0"s);
  filter.answers['E'] = {said + answer(Answer::proceed)};
  EXPECT_EQ(play(filter, {test_message()}, "x", SIZE_MAX, {.changes_max = 4}).failure,
            "it makes more than 4 changes");
  TestFilter writer;
  writer.answers['E'] = {answer(Answer::replace_body, "12345") + answer(Answer::replace_body, "6") +
                         answer(Answer::proceed)};
  EXPECT_EQ(play(writer, {test_message()}, "x", SIZE_MAX, {.body_bytes_max = 5}).failure,
            "its body has more than 5 bytes");
}

}  // namespace
}  // namespace tapal::milter
