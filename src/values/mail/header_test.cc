#include "values/mail/header.h"

namespace tapal::mail {
namespace {

constexpr std::string_view sample =
    "Received: from a\r\n by b\r\nSubject : hello\r\n\tworld\r\nX-Empty:\r\nreceived: from c\r\n";

TEST(Header, is_cut_into_fields) {
  const auto header = HeaderFields::parse(sample);
  ASSERT_TRUE(header) << header.error().what;
  ASSERT_EQ(header->all().size(), 4U);
  EXPECT_EQ(header->all()[0].raw, "Received: from a\r\n by b\r\n");
  EXPECT_EQ(header->all()[0].body, " from a\r\n by b");
  EXPECT_EQ(header->all()[0].unfolded(), "from a by b");
  EXPECT_EQ(header->all()[1].name, "Subject");
  EXPECT_EQ(header->all()[1].raw, "Subject : hello\r\n\tworld\r\n");
  EXPECT_EQ(header->all()[1].line, 3U);
  EXPECT_EQ(header->body_of("SUBJECT"), "hello\tworld");
  EXPECT_EQ(header->body_of("X-Empty"), "");
  EXPECT_EQ(header->count("Received"), 2U);
  EXPECT_EQ(header->find("Received")->line, 1U);
  EXPECT_EQ(header->find_last("Received")->line, 6U);
  EXPECT_EQ(header->find("To"), nullptr);
  std::string joined;
  for (const HeaderField& field : *header) joined += field.raw;
  EXPECT_EQ(joined, sample);
}

TEST(Header, ends_at_the_blank_line) {
  const auto header = HeaderFields::parse("A: 1\r\n\r\nno header at all\n");
  ASSERT_TRUE(header);
  EXPECT_EQ(header->all().size(), 1U);
  EXPECT_TRUE(HeaderFields::parse("")->all().empty());
  EXPECT_TRUE(HeaderFields::parse("\r\nbody")->all().empty());
}

struct BadHeader {
  std::string_view name;
  std::string text;
  std::string_view what;
};

TEST(Header, names_line_and_fault) {
  const BadHeader cases[] = {
      {"no colon", "A: 1\r\nhello\r\n", "line 2 of the message header: there is no colon in it"},
      {"mbox line",
       "From a@x Sun Nov 22 2026\r\n",
       "line 1 of the message header: there is no colon"},
      {"space in name", "A B: 1\r\n", "line 1 of the message header: \"A B\" has a character"},
      {"8-bit in name", "A\xC3\xBC: 1\r\n", "has a character that no field name may have"},
      {"no name", ": 1\r\n", "there is no field name before the colon"},
      {"fold first", " a\r\n", "it continues a field, but none is before it"},
      {"bare LF", "A: 1\nB: 2\r\n", "line 1 of the message header: it has an LF without a CR"},
      {"bare CR", "A: 1\rB: 2\r\n", "it has a CR without an LF"},
      {"NUL", std::string("A: \0\r\n", 6), "it has a NUL character"},
      {"no end", "A: 1\r\nB: 2", "line 2 of the message header: it does not end in CRLF"},
      {"CR at the end", "A: 1\r", "it has a CR without an LF"},
      {"long line",
       "A: 1\r\nB: " + std::string(996, 'x') + "\r\n",
       "line 2 of the message header: it has more than 998 characters"},
      {"long line without end", std::string(2000, 'x'), "it has more than 998 characters"},
  };
  for (const auto& [name, text, what] : cases) {
    const auto header = HeaderFields::parse(text);
    ASSERT_FALSE(header) << name;
    EXPECT_EQ(header.error().code, Code::invalid) << name;
    EXPECT_TRUE(header.error().what.contains(what)) << name << ": " << header.error().what;
  }
  EXPECT_TRUE(HeaderFields::parse("B: " + std::string(995, 'x') + "\r\n"));
}

TEST(Header, keeps_to_its_limits) {
  const HeaderLimits limits{.bytes_max = 20, .fields_max = 3};
  EXPECT_TRUE(HeaderFields::parse("A: 1\r\nB: 1\r\nC: 1\r\n", limits));
  EXPECT_EQ(HeaderFields::parse("A:1\r\nB:1\r\nC:1\r\nD:1\r\n", limits).error().code, Code::full);
  EXPECT_EQ(HeaderFields::parse("A: 234567890\r\n 1234567\r\n", limits).error().code, Code::full);
}

TEST(Header, is_found_in_bytes) {
  EXPECT_EQ(header_end("A: 1\r\n\r\nbody"), 8U);
  EXPECT_EQ(header_end("\r\nbody"), 2U);
  EXPECT_EQ(header_end("A: 1\r\n"), std::nullopt);
  EXPECT_EQ(header_end(""), std::nullopt);
  EXPECT_EQ(header_end("A: 1\n\nbody"), std::nullopt);
}

TEST(HeaderReader, gives_the_same_however_the_bytes_are_cut) {
  for (const std::string_view message : {"A: 1\r\nB: 2\r\n\r\nbody\r\n\r\nmore",
                                         "\r\nbody",
                                         "A: 1\r\n\r\n",
                                         "A:\r\n \r\n\r\n\r\n"}) {
    const std::size_t body = *header_end(message);
    for (std::size_t first = 0; first <= message.size(); ++first) {
      for (std::size_t second = first; second <= message.size(); ++second) {
        HeaderReader reader;
        std::size_t read = 0;
        for (const std::size_t end : {first, second, message.size()}) {
          if (reader.state() != HeaderReader::State::reading) break;
          reader.on_bytes(message.substr(read, end - read));
          read = end;
        }
        ASSERT_EQ(reader.state(), HeaderReader::State::complete);
        EXPECT_EQ(reader.header(), message.substr(0, body - 2));
        EXPECT_EQ(reader.rest(), message.substr(body, read - body)) << first << " " << second;
      }
    }
  }
}

TEST(HeaderReader, takes_a_message_without_body) {
  HeaderReader reader;
  EXPECT_EQ(reader.on_bytes("A: 1\r\n"), HeaderReader::State::reading);
  EXPECT_EQ(reader.at_end(), HeaderReader::State::complete);
  EXPECT_EQ(reader.header(), "A: 1\r\n");
  EXPECT_EQ(reader.rest(), "");
}

TEST(HeaderReader, holds_no_more_than_its_limit) {
  HeaderReader exact(6);
  EXPECT_EQ(exact.on_bytes("A: 1\r\n\r\nbody"), HeaderReader::State::complete);
  HeaderReader over(5);
  EXPECT_EQ(over.on_bytes("A: 1\r\n\r\nbody"), HeaderReader::State::too_long);
  HeaderReader endless(1000);
  int chunks = 0;
  while (endless.on_bytes("A: 1\r\n") == HeaderReader::State::reading) ++chunks;
  EXPECT_EQ(endless.state(), HeaderReader::State::too_long);
  EXPECT_LT(chunks, 170);
}

TEST(HeaderField, is_folded_and_cannot_be_broken_out_of) {
  EXPECT_EQ(field("Subject", "hello"), "Subject: hello\r\n");
  EXPECT_EQ(field("Subject", ""), "Subject:\r\n");
  EXPECT_EQ(field("X", "a\r\nBcc: b"), "X: a  Bcc: b\r\n");
  const std::string words =
      field("References",
            std::string(60, 'a') + " " + std::string(60, 'b') + " " + std::string(200, 'c'));
  EXPECT_EQ(words,
            "References: " + std::string(60, 'a') + "\r\n " + std::string(60, 'b') + "\r\n " +
                std::string(200, 'c') + "\r\n");
  const auto header = HeaderFields::parse(words);
  ASSERT_TRUE(header);
  EXPECT_EQ(header->all().size(), 1U);
  EXPECT_TRUE(HeaderFields::parse(field("X", "a" + std::string(5000, ' ') + "b")));
}

}  // namespace
}  // namespace tapal::mail
