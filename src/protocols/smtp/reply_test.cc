#include "protocols/smtp/reply.h"

namespace tapal::smtp {
namespace {

struct ReadCase {
  const char* name;
  std::string bytes;
  Reply reply;
};

const std::vector<ReadCase>& read_cases() {
  static const std::vector<ReadCase> cases = {
      {"one line", "250 OK\r\n", {250, "", {"OK"}}},
      {"no text", "250\r\n", {250, "", {""}}},
      {"a space and no text", "250 \r\n", {250, "", {""}}},
      {"bare LF", "250 OK\n", {250, "", {"OK"}}},
      {"several lines", "250-a\r\n250-b\r\n250 c\r\n", {250, "", {"a", "b", "c"}}},
      {"several lines without text", "250-\r\n250\r\n", {250, "", {"", ""}}},
      {"a status on each line",
       "550-5.1.1 No such\r\n550 5.1.1 user\r\n",
       {550, "5.1.1", {"No such", "user"}}},
      {"a status on the first line only",
       "550-5.1.1 No such\r\n550 user\r\n",
       {550, "5.1.1", {"No such", "user"}}},
      {"a status alone", "250 2.0.0\r\n", {250, "2.0.0", {""}}},
      {"long parts", "554 5.123.456 x\r\n", {554, "5.123.456", {"x"}}},
      {"a status of another class is text", "250 5.1.1 x\r\n", {250, "", {"5.1.1 x"}}},
      {"a version is no status", "220 2.0.0.1 ready\r\n", {220, "", {"2.0.0.1 ready"}}},
      {"too long parts are text", "554 5.1234.1 x\r\n", {554, "", {"5.1234.1 x"}}},
      {"the last code holds", "250-a\r\n550 b\r\n", {550, "", {"a", "b"}}},
      {"the last code's status holds", "250-2.1.0 a\r\n450 b\r\n", {450, "", {"a", "b"}}},
      {"trailing white space", "250 OK \t\r\r\n", {250, "", {"OK"}}},
      {"bytes above 127", "250 \xd7\x90\r\n", {250, "", {"\xd7\x90"}}},
      {"the longest line",
       "250 " + std::string(2044, 'x') + "\r\n",
       {250, "", {std::string(2044, 'x')}}},
  };
  return cases;
}

TEST(ReplyReader, reads_replies_however_they_are_cut) {
  for (const ReadCase& c : read_cases()) {
    SCOPED_TRACE(c.name);
    for (std::size_t cut = 0; cut < c.bytes.size(); ++cut) {
      ReplyReader reader;
      const auto first = reader.feed(std::string_view(c.bytes).substr(0, cut));
      ASSERT_TRUE(first);
      EXPECT_EQ(*first, cut);
      EXPECT_FALSE(reader.is_ready());
      EXPECT_EQ(reader.is_empty(), cut == 0);
      const auto rest = reader.feed(std::string_view(c.bytes).substr(cut));
      ASSERT_TRUE(rest);
      EXPECT_EQ(*rest, c.bytes.size() - cut);
      ASSERT_TRUE(reader.is_ready());
      EXPECT_EQ(reader.take(), c.reply);
      EXPECT_TRUE(reader.is_empty());
    }
  }
}

TEST(ReplyReader, stops_after_each_reply) {
  ReplyReader reader;
  const std::string_view bytes = "250 a\r\n354 b\r\n";
  EXPECT_EQ(reader.feed(bytes).value(), 7u);
  EXPECT_EQ(reader.feed(bytes.substr(7)).value(), 0u) << "the first one is not taken yet";
  EXPECT_EQ(reader.take().code, 250);
  EXPECT_EQ(reader.feed(bytes.substr(7)).value(), 7u);
  EXPECT_EQ(reader.take().code, 354);
}

TEST(ReplyReader, refuses_what_is_no_reply) {
  const std::vector<std::pair<const char*, std::string>> cases = {
      {"words", "HELLO there\r\n"},
      {"an empty line", "\r\n"},
      {"two digits", "25 OK\r\n"},
      {"four digits", "2500 OK\r\n"},
      {"a code under 200", "100 OK\r\n"},
      {"a code over 599", "600 OK\r\n"},
      {"no separator", "250OK\r\n"},
      {"an HTTP answer", "HTTP/1.1 400 Bad Request\r\n"},
      {"a broken second line", "250-a\r\nfoo\r\n"},
      {"a long line", "250 " + std::string(2046, 'x') + "\r\n"},
      {"an endless line", std::string(100'000, '2')},
  };
  for (const auto& [name, bytes] : cases) {
    SCOPED_TRACE(name);
    ReplyReader whole;
    EXPECT_FALSE(whole.feed(bytes));
    EXPECT_FALSE(whole.feed("250 OK\r\n")) << "an error is final";
    ReplyReader pieces;
    bool failed = false;
    for (const char c : bytes) failed = failed || !pieces.feed(std::string_view(&c, 1));
    EXPECT_TRUE(failed);
  }
}

TEST(ReplyReader, bounds_the_number_of_lines) {
  std::string bytes;
  for (std::size_t i = 1; i < ReplyReader::lines_max; ++i) bytes += "250-x\r\n";
  ReplyReader fits;
  ASSERT_TRUE(fits.feed(bytes + "250 x\r\n"));
  EXPECT_TRUE(fits.is_ready());
  ReplyReader too_many;
  EXPECT_FALSE(too_many.feed(bytes + "250-x\r\n250 x\r\n"));
}

TEST(Reply, is_written_line_by_line) {
  const std::vector<std::pair<Reply, std::string>> cases = {
      {make_reply(250, "", "OK"), "250 OK\r\n"},
      {make_reply(250, "", ""), "250\r\n"},
      {Reply{221, "", {}}, "221\r\n"},
      {make_reply(250, "2.0.0", ""), "250 2.0.0\r\n"},
      {make_reply(550, "5.7.1", "No\nreally"), "550-5.7.1 No\r\n550 5.7.1 really\r\n"},
      {Reply{250, "", {"mx", "", "SIZE"}}, "250-mx\r\n250-\r\n250 SIZE\r\n"},
      {make_reply(550, "", "a\r\n250 b"), "550-a \r\n550 250 b\r\n"},
      {Reply{550, "", {std::string("a\r\n\0b", 5)}}, "550 a   b\r\n"},
  };
  for (const auto& [reply, bytes] : cases) EXPECT_EQ(wire(reply), bytes);
}

TEST(Reply, is_read_as_it_was_written) {
  for (const ReadCase& c : read_cases()) {
    SCOPED_TRACE(c.name);
    const std::string bytes = wire(c.reply);
    ReplyReader reader;
    ASSERT_EQ(reader.feed(bytes).value(), bytes.size());
    EXPECT_EQ(reader.take(), c.reply);
  }
}

TEST(Reply, is_shown_in_one_line) {
  EXPECT_EQ(one_line(make_reply(550, "5.7.1", "No\nreally")), "550 5.7.1 No / really");
  EXPECT_EQ(one_line(make_reply(250, "", "")), "250");
  EXPECT_EQ(one_line(Reply{550, "", {"a\x1b[31m"}}).find('\x1b'), std::string::npos);
  Reply endless{550, "", {}};
  for (int i = 0; i < 100; ++i) endless.lines.emplace_back(1000, 'x');
  EXPECT_LE(one_line(endless).size(), 1000u);
}

TEST(Reply, has_a_class) {
  EXPECT_TRUE(is_positive({250, "", {}}));
  EXPECT_TRUE(is_intermediate({354, "", {}}));
  EXPECT_TRUE(is_transient({421, "", {}}));
  EXPECT_TRUE(is_permanent({550, "", {}}));
  EXPECT_FALSE(is_positive({354, "", {}}));
  EXPECT_FALSE(is_permanent({450, "", {}}));
  EXPECT_FALSE(is_transient({}));
}

}  // namespace
}  // namespace tapal::smtp
