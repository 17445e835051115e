#include "values/dns/name.h"

#include <gtest/gtest.h>

namespace tapal::dns {
namespace {

using namespace std::string_literals;

TEST(Name, is_made_canonical) {
  struct Case {
    std::string_view what, in, out;
  };
  const Case cases[] = {
      {"the root", ".", ""},
      {"nothing is the root", "", ""},
      {"lower case", "Mail.EXAMPLE", "mail.example"},
      {"final dot", "mail.example.", "mail.example"},
      {"underscore and star", "*._domainkey.example", "*._domainkey.example"},
      {"escaped dot", "first\\.last.example", "first\\.last.example"},
      {"a decimal escape of a plain letter", "\\065b.example", "ab.example"},
      {"a needless escape", "\\a\\-b", "a-b"},
      {"special characters", "a@b;c", "a\\@b\\;c"},
      {"bytes over 127", "\\195\\164.example", "\\195\\164.example"},
      {"escaped final dot", "a\\.", "a\\."},
      {"escaped backslash before a final dot", "a\\\\.", "a\\\\"},
  };
  for (const Case& test : cases) {
    const auto name = parse_name(test.in);
    ASSERT_TRUE(name) << test.what << ": " << name.error().what;
    EXPECT_EQ(*name, test.out) << test.what;
    EXPECT_EQ(parse_name(*name).value(), *name) << test.what;
  }
}

TEST(Name, is_refused_when_impossible) {
  const std::string label(63, 'a');
  const std::string longest = label + "." + label + "." + label + "." + std::string(61, 'b');
  EXPECT_EQ(longest.size(), 253U);
  EXPECT_EQ(parse_name(longest).value(), longest);
  EXPECT_EQ(parse_name(longest + ".").value(), longest);
  const std::pair<std::string_view, std::string> cases[] = {
      {"a label of 64", label + "a.example"},
      {"a name of 254", label + "." + longest.substr(63) + "b"},
      {"an empty label", "a..b"},
      {"a first dot", ".a"},
      {"only dots", ".."},
      {"a space", "a b"},
      {"a line end", "a\n"},
      {"NUL", "a\0b"s},
      {"a U-label",
       "b\xc3\xbc"
       "cher.example"},
      {"an escape cut off", "a\\"},
      {"a decimal escape cut off", "a\\01"},
      {"a decimal escape over 255", "a\\256"},
  };
  for (const auto& [what, text] : cases) {
    const auto name = parse_name(text);
    ASSERT_FALSE(name) << what;
    EXPECT_EQ(name.error().code, Code::invalid) << what;
  }
}

TEST(Name, is_completed_with_an_origin) {
  EXPECT_EQ(parse_relative_name("@", "example").value(), "example");
  EXPECT_EQ(parse_relative_name("Mail", "example").value(), "mail.example");
  EXPECT_EQ(parse_relative_name("mail.other.", "example").value(), "mail.other");
  EXPECT_EQ(parse_relative_name("mail", "").value(), "mail");
  EXPECT_EQ(parse_relative_name("a\\.", "example").value(), "a\\..example");
  EXPECT_EQ(parse_relative_name(".", "example").value(), "");
  EXPECT_FALSE(parse_relative_name("", "example"));
}

TEST(Name, knows_what_is_below_what) {
  EXPECT_TRUE(is_subdomain_of("example", "example"));
  EXPECT_TRUE(is_subdomain_of("a.example", "example"));
  EXPECT_TRUE(is_subdomain_of("example", ""));
  EXPECT_TRUE(is_subdomain_of("a\\\\.example", "example"));
  EXPECT_FALSE(is_subdomain_of("anexample", "example"));
  EXPECT_FALSE(is_subdomain_of("a\\.example", "example"));
  EXPECT_FALSE(is_subdomain_of("example", "a.example"));
  EXPECT_EQ(absolute("mail.example"), "mail.example.");
  EXPECT_EQ(absolute(""), ".");
  EXPECT_EQ(parent_of("a\\.b.example"), "example");
  EXPECT_EQ(parent_of("example"), "");
  EXPECT_EQ(parent_of(""), "");
  EXPECT_EQ(labels_of("a\\.b.c.example"), (std::vector<std::string_view>{"a\\.b", "c", "example"}));
  EXPECT_TRUE(labels_of("").empty());
}

TEST(Name, reverses_addresses) {
  EXPECT_EQ(reverse_name(*IpAddress::from_text("192.0.2.1")), "1.2.0.192.in-addr.arpa");
  EXPECT_EQ(reverse_name(*IpAddress::from_text("2001:db8::567:89ab")),
            "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa");
}

TEST(Name, is_read_from_a_message) {
  // RFC 1035 section 4.1.4: F.ISI.ARPA, FOO.F.ISI.ARPA, ARPA and the root.
  std::string message(20, '\0');
  message += "\1F\3ISI\4ARPA\0"s;
  message.resize(40);
  message += "\3FOO\xc0\x14"s;
  message.resize(64);
  message += "\xc0\x1a"s;
  message.resize(92);
  message += '\0';
  EXPECT_EQ(name_from_wire(message, 20).value().name, "f.isi.arpa");
  EXPECT_EQ(name_from_wire(message, 20).value().end, 32U);
  EXPECT_EQ(name_from_wire(message, 40).value().name, "foo.f.isi.arpa");
  EXPECT_EQ(name_from_wire(message, 40).value().end, 46U);
  EXPECT_EQ(name_from_wire(message, 64).value().name, "arpa");
  EXPECT_EQ(name_from_wire(message, 92).value().name, "");
  EXPECT_EQ(name_from_wire(message, 92).value().end, 93U);
}

TEST(Name, in_a_message_is_bounded) {
  struct Case {
    std::string_view what;
    std::string message;
    std::size_t offset;
  };
  std::string chain(1, '\0');
  chain += '\0';
  for (unsigned at = 0; at < 200; at += 2) {
    chain += static_cast<char>(0xc0);
    chain += static_cast<char>(at);
  }
  for (unsigned at = 200; at < 400; at += 2) {
    chain += static_cast<char>(0xc0U | at >> 8);
    chain += static_cast<char>(at & 0xff);
  }
  std::string long_name;
  for (int i = 0; i < 130; ++i) long_name += "\1a";
  const Case cases[] = {
      {"past the end", "a", 1},
      {"far past the end", "a", 1000},
      {"a label cut off", "\3ab"s, 0},
      {"no root", "\1a"s, 0},
      {"a pointer cut off", "\xc0"s, 0},
      {"a pointer to itself", "\xc0\x00"s, 0},
      {"a pointer forwards", "\xc0\x02\0"s, 0},
      {"a loop of two", "\1a\xc0\x00"s, 0},
      {"a loop through a label", "\0\1a\xc0\x01"s, 1},
      {"a long chain of pointers", chain, chain.size() - 2},
      {"label type 01", "\x41"s + std::string(70, 'a'), 0},
      {"label type 10", "\x81"s + std::string(70, 'a'), 0},
      {"over 255 bytes", long_name + '\0', 0},
  };
  for (const Case& test : cases) {
    const auto name = name_from_wire(test.message, test.offset);
    ASSERT_FALSE(name) << test.what;
    EXPECT_EQ(name.error().code, Code::invalid) << test.what;
  }
}

TEST(Name, goes_round_through_wire_form) {
  for (const std::string_view text :
       {"", "a", "mail.example", "a\\.b.\\000\\255x.example", "*.x"}) {
    const std::string wire = name_to_wire(text).value();
    const auto back = name_from_wire(wire, 0);
    ASSERT_TRUE(back);
    EXPECT_EQ(back->name, text);
    EXPECT_EQ(back->end, wire.size());
  }
}

TEST(NameWriter, points_to_suffixes_already_written) {
  std::string message(12, 'h');
  NameWriter writer;
  ASSERT_TRUE(writer.append(message, "a.mail.example"));
  const std::size_t second = message.size();
  ASSERT_TRUE(writer.append(message, "b.mail.example"));
  EXPECT_EQ(message.size(), second + 4);
  const std::size_t third = message.size();
  ASSERT_TRUE(writer.append(message, "a.mail.example"));
  EXPECT_EQ(message.size(), third + 2);
  EXPECT_EQ(name_from_wire(message, second).value().name, "b.mail.example");
  EXPECT_EQ(name_from_wire(message, third).value().name, "a.mail.example");

  message.resize(12);
  writer.forget_from(12);
  ASSERT_TRUE(writer.append(message, "b.mail.example"));
  EXPECT_EQ(name_from_wire(message, 12).value().name, "b.mail.example");
}

}  // namespace
}  // namespace tapal::dns
