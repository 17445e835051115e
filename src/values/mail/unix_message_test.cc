#include "values/mail/unix_message.h"

#include <gtest/gtest.h>

namespace tapal::mail {
namespace {

using namespace std::string_literals;

TEST(UnixMessage, becomes_lines_of_mail) {
  const struct {
    const char* name;
    std::string given;
    std::string wanted;
  } cases[] = {
      {"line ends", "Subject: a\n\nb\nc\n", "Subject: a\r\n\r\nb\r\nc\r\n"},
      {"line ends that are right", "Subject: a\r\n\r\nb\r\n", "Subject: a\r\n\r\nb\r\n"},
      {"no line end at the end", "Subject: a\n\nb", "Subject: a\r\n\r\nb\r\n"},
      {"NUL and bare CR", "A: b\n\nc\0d\re\r\r\n"s, "A: b\r\n\r\ncde\r\n"},
      {"a body alone", "disk is full\nhelp\n", "\r\ndisk is full\r\nhelp\r\n"},
      {"a body with a colon in it", "see this: help\n", "\r\nsee this: help\r\n"},
      {"an empty header", "\nhello\n", "\r\nhello\r\n"},
      {"an mbox line", "From ann Thu Nov 26 11:00:00 2026\nA: b\n\nc\n", "A: b\r\n\r\nc\r\n"},
      {"an mbox line alone", "From ann", ""},
      {"nothing", "", ""},
  };
  for (const auto& [name, given, wanted] : cases)
    EXPECT_EQ(from_unix_message(given), wanted) << name;
}

TEST(UnixMessage, breaks_long_lines_between_characters_and_loses_nothing) {
  for (std::size_t shift = 0; shift < 4; ++shift) {
    std::string line(shift, 'x');
    while (line.size() < 5000) line += "ü€";
    const auto made = from_unix_message("A: b\n\n" + line + "\n");
    std::string together;
    std::string_view rest = std::string_view(made).substr(8);
    while (!rest.empty()) {
      const auto piece = rest.substr(0, rest.find("\r\n"));
      EXPECT_LE(piece.size(), 998U);
      EXPECT_NE(static_cast<unsigned char>(piece.back()) & 0xC0U, 0xC0U) << "cut in a character";
      together += piece.substr(together.empty() ? 0 : 1);
      rest.remove_prefix(piece.size() + 2);
    }
    EXPECT_EQ(together, line);
  }
}

TEST(UnixMessage, finds_addresses_and_adds_the_domain_to_those_without) {
  const struct {
    std::string_view list;
    std::vector<std::string_view> addresses;
    std::string_view whole;
  } cases[] = {
      {"root", {"root"}, "root@d.example"},
      {" root (Cron Daemon)", {"root"}, " root@d.example (Cron Daemon)"},
      {"Cron <root>", {"root"}, "Cron <root@d.example>"},
      {"a, b@c.example ,\r\n d",
       {"a", "b@c.example", "d"},
       "a@d.example, b@c.example ,\r\n d@d.example"},
      {"\"x, y\" <z>, (a, b) c", {"z", "c"}, "\"x, y\" <z@d.example>, (a, b) c@d.example"},
      {"friends: ann, bob@x.example;",
       {"ann", "bob@x.example"},
       "friends: ann@d.example, bob@x.example;"},
      {"undisclosed-recipients:;", {}, "undisclosed-recipients:;"},
      {"\"a\\\"b\"@c.example", {"\"a\\\"b\"@c.example"}, "\"a\\\"b\"@c.example"},
      {"two words", {"two words"}, "two words"},
      {"<>", {}, "<>"},
      {"", {}, ""},
      {"<broken", {"broken"}, "<broken@d.example"},
      {"<a, b", {"a", "b"}, "<a@d.example, b@d.example"},
      {"<,]x,y", {"]x", "y"}, "<,]x@d.example,y@d.example"},
      {"(open", {}, "(open"},
      {"\"open", {"\"open"}, "\"open"},
      {"\"open\\", {"\"open\\"}, "\"open\\"},
  };
  for (const auto& [list, addresses, whole] : cases) {
    EXPECT_EQ(address_texts(list), addresses) << list;
    EXPECT_EQ(with_domain(list, "d.example"), whole) << list;
  }
}

}  // namespace
}  // namespace tapal::mail
