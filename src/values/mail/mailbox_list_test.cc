#include "values/mail/address.h"

namespace tapal::mail {
namespace {

using Wanted = std::vector<std::pair<std::string, std::string>>;  // name, address

Wanted read(std::string_view body) {
  const auto list = parse_mailbox_list(body);
  if (!list) return {{"error", list.error().what}};
  Wanted found;
  for (const Mailbox& mailbox : *list) found.emplace_back(mailbox.name, mailbox.address.text());
  return found;
}

struct ListCase {
  std::string_view name, body;
  Wanted wanted;
};

TEST(MailboxList, reads_every_form_of_rfc_5322) {
  const ListCase cases[] = {
      {"bare", "a@x.example", {{"", "a@x.example"}}},
      {"name", "John Doe <a@x.example>", {{"John Doe", "a@x.example"}}},
      {"two", "A <a@x.example>, b@x.example", {{"A", "a@x.example"}, {"", "b@x.example"}}},
      {"quoted name", R"("Doe, \"J\"" <a@x.example>)", {{"Doe, \"J\"", "a@x.example"}}},
      {"dots in a name", "John Q. Public <a@x.example>", {{"John Q. Public", "a@x.example"}}},
      {"no name", "<a@x.example>", {{"", "a@x.example"}}},
      {"folded", "John\r\n Doe\r\n\t<a@x.example>", {{"John Doe", "a@x.example"}}},
      {"comments", "(c(d)) John (x) <a@x.example> (y)", {{"John", "a@x.example"}}},
      {"comment for a name", "a@x.example (John Doe)", {{"John Doe", "a@x.example"}}},
      {"white space around dots", "a . b @ x . example", {{"", "a.b@x.example"}}},
      {"comments around the at", "a(c)@(d)x.example", {{"", "a@x.example"}}},
      {"quoted local part", R"("john doe"@x.example)", {{"", R"("john doe"@x.example)"}}},
      {"literal", "a@[192.0.2.1]", {{"", "a@[192.0.2.1]"}}},
      {"route", "A <@r.example,@s.example:a@x.example>", {{"A", "a@x.example"}}},
      {"group",
       "Team: A <a@x.example>, b@x.example;, c@x.example",
       {{"A", "a@x.example"}, {"", "b@x.example"}, {"", "c@x.example"}}},
      {"empty group", "undisclosed-recipients:;", {}},
      {"empty elements", ",, a@x.example,,", {{"", "a@x.example"}}},
      {"nothing", "", {}},
      {"encoded name", "=?UTF-8?Q?J=C3=B6rg?= <a@x.example>", {{"J\xC3\xB6rg", "a@x.example"}}},
      {"encoded name with a comma inside",
       "=?utf-8?q?Doe,_J?= <a@x.example>",
       {{"Doe, J", "a@x.example"}}},
      {"encoded words in a row",
       "=?utf-8?b?SsO2?= =?utf-8?q?rg?= X <a@x.example>",
       {{"J\xC3\xB6rg X", "a@x.example"}}},
      {"encoded line end is harmless",
       "=?utf-8?q?a=0D=0Ab?= <a@x.example>",
       {{"a  b", "a@x.example"}}},
      {"raw UTF-8",
       "J\xC3\xB6rg <\xC3\xB6@b\xC3\xBC"
       "cher.example>",
       {{"J\xC3\xB6rg", "\xC3\xB6@xn--bcher-kva.example"}}},
  };
  for (const auto& [name, body, wanted] : cases) EXPECT_EQ(read(body), wanted) << name;
}

TEST(MailboxList, names_the_offending_text) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"john", "at \"john\": an address has no domain"},
      {"a@x.example, John Doe", "at \"John Doe\": an address has no domain"},
      {"a@x.example b@x.example", "a comma is missing after an address"},
      {"<>", "an address has no domain"},
      {"A <a@x.example", "an address is not closed with >"},
      {"\"A <a@x.example>", "a quoted string is not closed"},
      {"(A <a@x.example>", "a comment is not closed"},
      {"T: a@x.example", "its group is not closed with a semicolon"},
      {"T: U: a@x.example;;", "an address has no domain"},
      {": a@x.example;", "an unexpected character"},
      {"a@x.example;", "a comma is missing after an address"},
      {"a.@x.example", "the part before the @ is malformed"},
      {"a b@x.example", "the part before the @ is malformed"},
      {"a@x_y", "only letters, digits and hyphens"},
      {"a@[1.2.3.4", "an address literal is not closed"},
      {"A <@r.example a@x.example>", "a source route is malformed"},
  };
  for (const auto& [body, what] : cases) {
    const auto list = parse_mailbox_list(body);
    ASSERT_FALSE(list) << body;
    EXPECT_TRUE(list.error().what.contains(what)) << list.error().what;
  }
}

TEST(MailboxList, reads_no_more_than_allowed) {
  EXPECT_TRUE(parse_mailbox_list("a@x.example,b@x.example", 2));
  const auto list = parse_mailbox_list("a@x.example,b@x.example,c@x.example", 2);
  ASSERT_FALSE(list);
  EXPECT_EQ(list.error().code, Code::full);
}

TEST(MailboxList, is_quick_with_hostile_text) {
  for (const std::string_view piece : {"(", "\"", "<", "=?a?q?", "a.", "\\", ",", "@[", "T:"}) {
    std::string body;
    while (body.size() < 200'000) body += piece;
    const auto list = parse_mailbox_list(body);
    EXPECT_EQ(list.has_value(), piece == ",") << piece;
  }
}

TEST(Mailbox, reads_back_what_it_printed) {
  for (const std::string_view name : {"",
                                      "John",
                                      "John Doe",
                                      "Doe, John",
                                      "a  b",
                                      " a",
                                      "a ",
                                      "\"q\"",
                                      "back\\slash",
                                      "J\xC3\xB6rg",
                                      "=?utf-8?q?x?=",
                                      "a.b",
                                      "(c)",
                                      "x@y",
                                      "\xF0\x9F\x93\xAE post",
                                      "caf\xC3\xA9, (bar) <x>"}) {
    const Mailbox mailbox{std::string(name), *parse_address("\"a b\"@x.example")};
    const auto list = parse_mailbox_list(mailbox.text());
    ASSERT_TRUE(list) << mailbox.text() << ": " << list.error().what;
    ASSERT_EQ(list->size(), 1U) << mailbox.text();
    EXPECT_EQ(list->front().name, name) << mailbox.text();
    EXPECT_EQ(list->front().address, mailbox.address);
  }
}

}  // namespace
}  // namespace tapal::mail
