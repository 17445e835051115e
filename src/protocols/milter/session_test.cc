#include "protocols/milter/session.h"

#include "protocols/milter/test_filter.h"

namespace tapal::milter {
namespace {

using std::string_literals::operator""s;
using Kind = mail::HeaderEdit::Kind;

const smtp::Reply refused{550, "5.7.1", {"refused by a filter"}};
const smtp::Reply put_off{451, "4.7.1", {"put off by a filter, try again later"}};

TEST(MilterSession, tells_the_whole_message_in_order) {
  TestFilter filter;
  const auto played = play(filter, {test_message()});
  ASSERT_EQ(played.failure, "");
  ASSERT_EQ(played.outcomes.size(), 1U);
  EXPECT_EQ(played.outcomes[0], Outcome());
  EXPECT_EQ(filter.heard, "OCHMRRTLLNBEQ");
  EXPECT_EQ(filter.data_of('O')[0], number(6) + number(0x1FF) + number(0x1FF7FF));
  EXPECT_EQ(filter.data_of('C')[0], "mx.sender.example\0"s + "4\x10\xE1" + "192.0.2.1\0"s);
  EXPECT_EQ(filter.data_of('H')[0], "helo.example\0"s);
  EXPECT_EQ(filter.data_of('M')[0], "<ann@sender.example>\0"s);
  EXPECT_EQ(filter.data_of('R')[1], "<eve@rcpt.example>\0"s);
  EXPECT_EQ(filter.data_of('L')[0], "From\0ann\0"s);
  EXPECT_EQ(filter.data_of('L')[1], "Subject\0a\n\tb\0"s);
  EXPECT_EQ(filter.data_of('B')[0], "Hello\r\n");
  const auto macros = filter.data_of('D');
  ASSERT_EQ(macros.size(), 8U);  // before C H M R R T N E
  EXPECT_EQ(macros[0], "Cj\0mail.rcpt.example\0{client_addr}\0"s + "192.0.2.1\0"s);
  EXPECT_EQ(macros[4], "R{rcpt_addr}\0eve@rcpt.example\0"s);
  EXPECT_EQ(macros[7], "Ei\0QID\0"s);
}

TEST(MilterSession, tells_of_an_ipv6_peer_and_of_the_null_sender) {
  TestFilter filter;
  auto message = test_message();
  message.peer = Endpoint::from_text("[2001:db8::1]:25").value();
  message.return_path.reset();
  play(filter, {std::move(message)});
  EXPECT_EQ(filter.data_of('C')[0], "mx.sender.example\0"s + "6\0\x19"s + "2001:db8::1\0"s);
  EXPECT_EQ(filter.data_of('M')[0], "<>\0"s);
}

struct WishCase {
  const char* name;
  std::uint32_t wishes;
  std::string heard;
};

TEST(MilterSession, honours_what_the_filter_does_not_want) {
  const std::vector<WishCase> cases = {
      {"no connect", wish::no_connect, "OHMRRTLLNBEQ"},
      {"no helo", wish::no_hello, "OCMRRTLLNBEQ"},
      {"no mail", wish::no_mail, "OCHRRTLLNBEQ"},
      {"no recipients", wish::no_recipients, "OCHMTLLNBEQ"},
      {"no data", wish::no_data, "OCHMRRLLNBEQ"},
      {"no header", wish::no_headers, "OCHMRRTNBEQ"},
      {"no end of header", wish::no_end_of_header, "OCHMRRTLLBEQ"},
      {"no body", wish::no_body, "OCHMRRTLLNEQ"},
      {"nothing at all", 0x7F | wish::no_unknown | wish::no_data, "OEQ"},
      {"silent connect", wish::silent_connect, "OCHMRRTLLNBEQ"},
      {"silent helo", wish::silent_hello, "OCHMRRTLLNBEQ"},
      {"silent mail", wish::silent_mail, "OCHMRRTLLNBEQ"},
      {"silent recipients", wish::silent_recipients, "OCHMRRTLLNBEQ"},
      {"silent data", wish::silent_data, "OCHMRRTLLNBEQ"},
      {"silent headers", wish::silent_headers, "OCHMRRTLLNBEQ"},
      {"silent end of header", wish::silent_end_of_header, "OCHMRRTLLNBEQ"},
      {"silent body", wish::silent_body, "OCHMRRTLLNBEQ"},
      {"silent throughout", 0xFF080, "OCHMRRTLLNBEQ"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    TestFilter filter;
    filter.wishes = c.wishes;
    const auto played = play(filter, {test_message()});
    EXPECT_EQ(played.failure, "");
    EXPECT_EQ(played.outcomes.size(), 1U);
    EXPECT_EQ(filter.heard, c.heard);
  }
}

TEST(MilterSession, keeps_the_leading_space_when_asked) {
  TestFilter filter;
  filter.wishes = wish::leading_space;
  filter.answers['E'] = {answer(Answer::add_header, "X\0 v\0"s) +
                         answer(Answer::add_header, "Y\0v\0"s) + answer(Answer::proceed)};
  const auto played = play(filter, {test_message()});
  EXPECT_EQ(filter.data_of('L')[0], "From\0 ann\0"s);
  ASSERT_EQ(played.outcomes.size(), 1U);
  EXPECT_EQ(played.outcomes[0].edits[0], (mail::HeaderEdit{Kind::append, "X", " v", 0}));
  EXPECT_EQ(played.outcomes[0].edits[1], (mail::HeaderEdit{Kind::append, "Y", "v", 0}));
}

TEST(MilterSession, sends_the_macros_that_the_filter_chose) {
  TestFilter filter;
  filter.macro_lists = number(0) + "j i\0"s + number(5) + "\0"s + number(6) + "j\0"s;
  play(filter, {test_message()});
  const auto macros = filter.data_of('D');
  EXPECT_EQ(macros[0], "Cj\0mail.rcpt.example\0i\0QID\0"s);
  EXPECT_EQ(macros[6], "Nj\0mail.rcpt.example\0"s);
  EXPECT_EQ(macros[7], "E");
}

struct DecisionCase {
  const char* name;
  char command;
  std::string said;
  Decision decision;
  smtp::Reply reply;
  std::string heard;
};

TEST(MilterSession, ends_where_the_filter_decides) {
  const std::vector<DecisionCase> cases = {
      {"accept the client", 'C', answer(Answer::accept), Decision::accept, {}, "OCAQ"},
      {"refuse the client", 'C', answer(Answer::reject), Decision::refuse, refused, "OCAQ"},
      {"put the helo off",
       'H',
       answer(Answer::temporary_failure),
       Decision::defer,
       put_off,
       "OCHAQ"},
      {"discard at mail", 'M', answer(Answer::discard), Decision::discard, {}, "OCHMAQ"},
      {"refuse a recipient", 'R', answer(Answer::reject), Decision::refuse, refused, "OCHMRAQ"},
      {"accept at a recipient", 'R', answer(Answer::accept), Decision::accept, {}, "OCHMRAQ"},
      {"refuse at data", 'T', answer(Answer::reject), Decision::refuse, refused, "OCHMRRTAQ"},
      {"refuse a header field",
       'L',
       answer(Answer::reject),
       Decision::refuse,
       refused,
       "OCHMRRTLAQ"},
      {"refuse at the header's end",
       'N',
       answer(Answer::reject),
       Decision::refuse,
       refused,
       "OCHMRRTLLNAQ"},
      {"refuse in the body",
       'B',
       answer(Answer::reject),
       Decision::refuse,
       refused,
       "OCHMRRTLLNBAQ"},
      {"accept at the end", 'E', answer(Answer::accept), Decision::accept, {}, "OCHMRRTLLNBEQ"},
      {"discard at the end", 'E', answer(Answer::discard), Decision::discard, {}, "OCHMRRTLLNBEQ"},
      {"refuse at the end",
       'E',
       answer(Answer::reject),
       Decision::refuse,
       refused,
       "OCHMRRTLLNBEQ"},
      {"its own words",
       'E',
       answer(Answer::reply, "554 5.6.0 no\0"s),
       Decision::refuse,
       {554, "5.6.0", {"no"}},
       "OCHMRRTLLNBEQ"},
      {"its own words, later",
       'M',
       answer(Answer::reply, "450 4.2.0 wait\0"s),
       Decision::defer,
       {450, "4.2.0", {"wait"}},
       "OCHMAQ"},
      {"several lines",
       'E',
       answer(Answer::reply, "550-5.7.1 a\r\n550 5.7.1 b\0"s),
       Decision::refuse,
       {550, "5.7.1", {"a", "b"}},
       "OCHMRRTLLNBEQ"},
      {"no status",
       'E',
       answer(Answer::reply, "550 100%% no\0"s),
       Decision::refuse,
       {550, "5.7.1", {"100% no"}},
       "OCHMRRTLLNBEQ"},
      {"421 becomes 451",
       'E',
       answer(Answer::reply, "421 4.3.0 x\0"s),
       Decision::defer,
       {451, "4.3.0", {"x"}},
       "OCHMRRTLLNBEQ"},
      {"shutdown", 'H', answer(Answer::shutdown), Decision::defer, put_off, "OCHAQ"},
      {"connection failure",
       'C',
       answer(Answer::connection_failure),
       Decision::defer,
       put_off,
       "OCAQ"},
      {"progress first",
       'E',
       answer(Answer::progress) + answer(Answer::progress) + answer(Answer::proceed),
       Decision::accept,
       {},
       "OCHMRRTLLNBEQ"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, SIZE_MAX}) {
      TestFilter filter;
      filter.answers[c.command] = {c.said};
      const auto played = play(filter, {test_message()}, "Hello\r\n", piece);
      EXPECT_EQ(played.failure, "");
      ASSERT_EQ(played.outcomes.size(), 1U);
      EXPECT_EQ(played.outcomes[0].decision, c.decision);
      EXPECT_EQ(played.outcomes[0].reply, c.reply);
      EXPECT_EQ(filter.heard, c.heard);
      EXPECT_TRUE(played.closed);
    }
  }
}

struct TroubleCase {
  const char* name;
  char command;
  std::string said;
  const char* failure;
};

TEST(MilterSession, gives_up_on_a_filter_that_breaks_the_rules) {
  const auto options = [](std::uint32_t version, std::uint32_t abilities, std::uint32_t wishes) {
    return answer(static_cast<Answer>('O'), number(version) + number(abilities) + number(wishes));
  };
  const std::vector<TroubleCase> cases = {
      {"an empty packet", 'C', number(0), "a packet of 0 bytes: expected 1 to 65536"},
      {"an endless packet",
       'C',
       "\xFF\xFF\xFF\xFF",
       "a packet of 4294967295 bytes: expected 1 to 65536"},
      {"nothing", 'C', "", "the filter is silent"},
      {"options cut short",
       'O',
       answer(static_cast<Answer>('O'), number(6)),
       "its answer to the options is cut short"},
      {"version 1", 'O', options(1, 0, 0), "it speaks version 1 of the protocol: expected 2 to 6"},
      {"version 7", 'O', options(7, 0, 0), "it speaks version 7 of the protocol: expected 2 to 6"},
      {"abilities we do not know",
       'O',
       options(6, 0x200, 0),
       "it asks for options that were not offered: 0x200 0x0"},
      {"wishes we do not know",
       'O',
       options(6, 0, 0x800),
       "it asks for options that were not offered: 0x0 0x800"},
      {"macros without an end",
       'O',
       answer(static_cast<Answer>('O'), number(6) + number(0) + number(0) + number(0) + "j"),
       "its list of macros is broken"},
      {"macros of no stage",
       'O',
       answer(static_cast<Answer>('O'), number(6) + number(0) + number(0) + number(7) + "j\0"s),
       "its list of macros is broken"},
      {"two answers to one command",
       'C',
       answer(Answer::accept) + answer(Answer::proceed),
       "the filter says \"c\" unasked"},
      {"two answers at once",
       'H',
       answer(Answer::proceed) + answer(Answer::proceed),
       "the filter says \"c\" unasked"},
      {"a letter of no meaning",
       'H',
       answer(static_cast<Answer>('Z')),
       "it answers \"Z\", which means nothing"},
      {"discard before mail",
       'H',
       answer(Answer::discard),
       "it discards a message before there is one"},
      {"skip outside the body",
       'L',
       answer(Answer::skip),
       "it skips where there is nothing to skip"},
      {"skip without asking", 'B', answer(Answer::skip), "it skips where there is nothing to skip"},
      {"a change too early",
       'N',
       answer(Answer::add_header, "X\0v\0"s),
       "it changes the message before its end"},
      {"a reply that is none",
       'E',
       answer(Answer::reply, "hello\0"s),
       "its reply \"hello\" is none of SMTP"},
      {"a reply that says yes",
       'E',
       answer(Answer::reply, "250 ok\0"s),
       "its reply \"250 ok\" is none of SMTP"},
      {"a reply without its end",
       'E',
       answer(Answer::reply, "550 no"),
       "its reply \"\" is none of SMTP"},
      {"two replies in one",
       'E',
       answer(Answer::reply, "550 a\r\n550 b\0"s),
       "its reply \"550 a\\x0D\\x0A550 b\" is none of SMTP"},
      {"a header without value",
       'E',
       answer(Answer::add_header, "X\0"s),
       "its change of a header field is broken"},
      {"a header name that cannot be",
       'E',
       answer(Answer::add_header, "a b\0v\0"s),
       "its change of a header field is broken"},
      {"more behind a header",
       'E',
       answer(Answer::add_header, "X\0v\0w\0"s),
       "its change of a header field is broken"},
      {"a change without its place",
       'E',
       answer(Answer::change_header, "\0\0"s),
       "its change of a header field is broken"},
      {"a recipient that is none",
       'E',
       answer(Answer::add_recipient, "<nobody>\0"s),
       "its address \"<nobody>\" is none"},
      {"the null recipient",
       'E',
       answer(Answer::add_recipient, "<>\0"s),
       "its recipient is the null address"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    TestFilter filter;
    filter.answers[c.command] = {c.said};
    const auto played = play(filter, {test_message()});
    EXPECT_EQ(played.failure, c.failure);
  }
}

TEST(MilterSession, cuts_the_body_into_pieces_and_stops_when_told) {
  const std::string body(200'000, 'x');
  TestFilter filter;
  play(filter, {test_message()}, body);
  EXPECT_EQ(filter.heard, "OCHMRRTLLNBBBBEQ");
  std::string joined;
  for (const auto& piece : filter.data_of('B')) joined += piece;
  EXPECT_EQ(joined, body);
  TestFilter skipper;
  skipper.wishes = wish::skip;
  skipper.answers['B'] = {answer(Answer::proceed), answer(Answer::skip)};
  EXPECT_EQ(play(skipper, {test_message()}, body).failure, "");
  EXPECT_EQ(skipper.heard, "OCHMRRTLLNBBEQ");
}

TEST(MilterSession, tells_a_field_too_long_for_a_packet_up_to_where_it_fits) {
  TestFilter filter;
  auto message = test_message();
  message.header = "X: " + std::string(100'000, 'y') + "\r\nno field\r\nY: z\r\n";
  EXPECT_EQ(play(filter, {std::move(message)}).failure, "");
  const auto fields = filter.data_of('L');
  ASSERT_EQ(fields.size(), 2U);
  EXPECT_EQ(fields[0].size(), packet_bytes_max - 1);
  EXPECT_TRUE(fields[0].ends_with("y\0"s));
  EXPECT_EQ(fields[1], "Y\0z\0"s);
}

TEST(MilterSession, plays_one_message_after_another) {
  TestFilter filter;
  filter.answers['M'] = {answer(Answer::reject), answer(Answer::proceed)};
  const auto played = play(filter, {test_message(), test_message()});
  ASSERT_EQ(played.outcomes.size(), 2U);
  EXPECT_EQ(played.outcomes[0].decision, Decision::refuse);
  EXPECT_EQ(played.outcomes[1].decision, Decision::accept);
  EXPECT_EQ(filter.heard, "OCHMAMRRTLLNBEQ");  // the same client's
  TestFilter old;
  old.version = 2;
  EXPECT_EQ(play(old, {test_message(), test_message()}).outcomes.size(), 2U);
  EXPECT_EQ(old.heard, "OCHMRRLLNBEMRRLLNBEQ");  // DATA came later
}

TEST(MilterSession, tells_of_another_client_where_the_filter_can_hear_it) {
  auto other = test_message();
  other.peer.port = 4322;
  struct Case {
    std::string name;
    std::uint32_t version;
    std::map<char, std::vector<std::string>> answers;
    std::string heard;
  };
  const Case cases[] = {
      {"it says continue", 6, {}, "OCHMRRTLLNBEKCHMRRTLLNBEQ"},
      {"it says accept", 6, {{'E', {answer(Answer::accept)}}}, "OCHMRRTLLNBEQ"},
      {"it refuses early", 6, {{'M', {answer(Answer::reject)}}}, "OCHMAQ"},
      {"it is older", 5, {}, "OCHMRRTLLNBEQ"},
  };
  for (const auto& each : cases) {
    SCOPED_TRACE(each.name);
    TestFilter filter;
    filter.version = each.version;
    filter.answers = each.answers;
    play(filter, {test_message(), other});
    EXPECT_EQ(filter.heard, each.heard);
  }
  TestFilter hasty;  // its answer to HELO holds for all of the client's messages
  hasty.answers['H'] = {answer(Answer::accept)};
  play(hasty, {test_message(), test_message()});
  EXPECT_EQ(hasty.heard, "OCHAQ");
}

TEST(MilterSession, waits_so_long_and_no_longer) {
  const Options options{.answer_time_max = std::chrono::seconds(10),
                        .end_time_max = std::chrono::seconds(60),
                        .message_time_max = std::chrono::seconds(100)};
  const Instant start{std::chrono::hours(1)};
  const auto at = [start](int seconds) { return start + std::chrono::seconds(seconds); };
  Session session(options, start);
  TestFilter filter;
  filter.wishes = 0x7F | wish::no_data;
  EXPECT_EQ(session.deadline(), at(10));
  auto said = filter.on_bytes(std::get<Send>(*session.next_action()).bytes);
  session.on_bytes(said, at(5));
  EXPECT_TRUE(std::holds_alternative<Ready>(*session.next_action()));
  EXPECT_EQ(session.deadline(), never);
  session.start(test_message(), at(6));
  EXPECT_EQ(session.deadline(), at(66));  // its end is all that it wants
  static_cast<void>(session.next_action());
  session.on_bytes(answer(Answer::progress), at(60));
  EXPECT_EQ(session.deadline(), at(106));  // 100 s in all, whatever it says
  session.on_time(at(105));
  EXPECT_FALSE(session.next_action());
  session.on_time(at(106));
  EXPECT_EQ(std::get<Failed>(*session.next_action()).what,
            "no answer to the end of the message in time");
  EXPECT_FALSE(session.wants_bytes());
}

}  // namespace
}  // namespace tapal::milter
