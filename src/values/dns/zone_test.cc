#include "values/dns/zone.h"

#include <gtest/gtest.h>

#include "values/dns/zone_text.h"

namespace tapal::dns {
namespace {

using namespace std::string_literals;

constexpr std::string_view zone_text =
    "@ 3600 SOA ns hostmaster 1 2 3 4 60\n"
    "@ NS ns\n"
    "@ MX 10 mail\n"
    "ns A 192.0.2.53\n"
    "mail A 192.0.2.25\n"
    "mail AAAA 2001:db8::25\n"
    "www CNAME web\n"
    "web CNAME mail\n"
    "away CNAME mail.other.\n"
    "lost CNAME nothing\n"
    "loop1 CNAME loop2\n"
    "loop2 CNAME loop1\n"
    "*.wild TXT \"made up\"\n"
    "real.wild A 192.0.2.1\n"
    "a.b.c A 192.0.2.1\n"
    "sub NS ns.sub\n"
    "ns.sub A 192.0.2.54\n";

const Zone& zone() {
  static const Zone made = Zone::from_text(zone_text, "example").value();
  return made;
}

Message ask(std::string name, Type type) {
  Message query;
  query.id = 7;
  query.flags.recursion_desired = true;
  query.questions = {{.name = std::move(name), .type = type}};
  return answer(std::span(&zone(), 1), query);
}

std::string lines(const std::vector<Record>& records) {
  std::string text;
  for (const Record& record : records) text += record.name + " " + type_text(record.type) + "|";
  return text;
}

TEST(Zone, answers_as_rfc_1034_says) {
  struct Case {
    std::string_view what, name;
    Type type;
    Rcode rcode;
    std::string_view answers, authority, additional;
  };
  const Case cases[] = {
      {"a record", "mail.example", Type::a, Rcode::no_error, "mail.example A|", "", ""},
      {"addresses beside MX",
       "example",
       Type::mx,
       Rcode::no_error,
       "example MX|",
       "",
       "mail.example A|mail.example AAAA|"},
      {"no such type", "mail.example", Type::mx, Rcode::no_error, "", "example SOA|", ""},
      {"no such name", "none.example", Type::a, Rcode::no_such_name, "", "example SOA|", ""},
      {"a name between names", "b.c.example", Type::a, Rcode::no_error, "", "example SOA|", ""},
      {"two aliases",
       "www.example",
       Type::aaaa,
       Rcode::no_error,
       "www.example CNAME|web.example CNAME|mail.example AAAA|",
       "",
       ""},
      {"the alias itself",
       "www.example",
       Type::cname,
       Rcode::no_error,
       "www.example CNAME|",
       "",
       ""},
      {"an alias without the type",
       "www.example",
       Type::mx,
       Rcode::no_error,
       "www.example CNAME|web.example CNAME|",
       "example SOA|",
       ""},
      {"an alias out of the zone",
       "away.example",
       Type::a,
       Rcode::no_error,
       "away.example CNAME|",
       "",
       ""},
      {"an alias to nothing",
       "lost.example",
       Type::a,
       Rcode::no_such_name,
       "lost.example CNAME|",
       "example SOA|",
       ""},
      {"a wildcard",
       "x.y.wild.example",
       Type::txt,
       Rcode::no_error,
       "x.y.wild.example TXT|",
       "",
       ""},
      {"a wildcard without the type",
       "x.wild.example",
       Type::a,
       Rcode::no_error,
       "",
       "example SOA|",
       ""},
      {"a name beside the wildcard",
       "real.wild.example",
       Type::txt,
       Rcode::no_error,
       "",
       "example SOA|",
       ""},
      {"below a name beside the wildcard",
       "x.real.wild.example",
       Type::txt,
       Rcode::no_such_name,
       "",
       "example SOA|",
       ""},
      {"the wildcard's own place",
       "wild.example",
       Type::txt,
       Rcode::no_error,
       "",
       "example SOA|",
       ""},
      {"a delegation",
       "x.sub.example",
       Type::a,
       Rcode::no_error,
       "",
       "sub.example NS|",
       "ns.sub.example A|"},
      {"another zone", "other", Type::a, Rcode::refused, "", "", ""},
      {"a name that ends alike", "notexample", Type::a, Rcode::refused, "", "", ""},
      {"a transfer", "example", Type{252}, Rcode::refused, "", "", ""},
      {"ANY",
       "mail.example",
       Type{255},
       Rcode::no_error,
       "mail.example A|mail.example AAAA|",
       "",
       ""},
  };
  for (const Case& test : cases) {
    const Message response = ask(std::string(test.name), test.type);
    EXPECT_EQ(response.id, 7);
    EXPECT_TRUE(response.flags.response && response.flags.recursion_desired);
    EXPECT_EQ(response.rcode, test.rcode) << test.what;
    EXPECT_EQ(lines(response.answers), test.answers) << test.what;
    EXPECT_EQ(lines(response.authority), test.authority) << test.what;
    EXPECT_EQ(lines(response.additional), test.additional) << test.what;
  }
  EXPECT_TRUE(ask("mail.example", Type::a).flags.authoritative);
  EXPECT_FALSE(ask("x.sub.example", Type::a).flags.authoritative);
  EXPECT_EQ(ask("none.example", Type::a).authority.at(0).ttl.count(), 60);
}

TEST(Zone, leaves_a_loop_of_aliases) {
  const Message response = ask("loop1.example", Type::a);
  EXPECT_EQ(response.rcode, Rcode::no_error);
  EXPECT_EQ(response.answers.size(), 17U);
}

TEST(Zone, answers_from_the_nearest_zone) {
  const Zone zones[] = {
      Zone::from_text("@ SOA a b 1 2 3 4 5\n*.in.example. TXT outer\n", "example").value(),
      Zone::from_text("@ SOA a b 1 2 3 4 5\nx TXT inner\n", "in.example").value()};
  Message query;
  query.questions = {{.name = "x.in.example", .type = Type::txt}};
  EXPECT_EQ(answer(zones, query).answers.at(0).data, Data(Text{"inner"}));
}

TEST(Zone, serves_the_root) {
  const Zone root = Zone::from_text("@ SOA a b 1 2 3 4 5\n* TXT any\ncom NS ns.com\n", "").value();
  Message query;
  query.questions = {{.name = "x.y", .type = Type::txt}};
  EXPECT_EQ(answer(std::span(&root, 1), query).answers.at(0).data, Data(Text{"any"}));
}

TEST(Zone, refuses_records_that_make_no_zone) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"no SOA", "a A 192.0.2.1\n"},
      {"two SOA", "@ SOA a b 1 2 3 4 5\n@ SOA a b 1 2 3 4 5\n"},
      {"a SOA below the top", "@ SOA a b 1 2 3 4 5\na SOA a b 1 2 3 4 5\n"},
      {"a name outside", "@ SOA a b 1 2 3 4 5\nother. A 192.0.2.1\n"},
      {"a CNAME beside others", "@ SOA a b 1 2 3 4 5\na A 192.0.2.1\na CNAME b\n"},
      {"others beside a CNAME", "@ SOA a b 1 2 3 4 5\na CNAME b\na A 192.0.2.1\n"},
      {"two CNAMEs", "@ SOA a b 1 2 3 4 5\na CNAME b\na CNAME c\n"},
      {"broken text", "a"},
  };
  for (const auto& [what, text] : cases) {
    const auto made = Zone::from_text(text, "example");
    ASSERT_FALSE(made) << what;
    EXPECT_EQ(made.error().code, Code::invalid) << what;
  }
}

TEST(AnswerBytes, tells_faults_of_the_query) {
  Message query;
  query.id = 0x1234;
  query.questions = {{.name = "mail.example", .type = Type::a}};
  const auto zones = std::span(&zone(), 1);
  const auto rcode_for = [&](const Message& message) {
    return parse_message(
               answer_bytes(zones, write_message(message).value(), Transport::udp).value())
        .value()
        .rcode;
  };
  EXPECT_EQ(rcode_for(query), Rcode::no_error);
  Message other = query;
  other.flags.opcode = 5;
  EXPECT_EQ(rcode_for(other), Rcode::not_implemented);
  other = query;
  other.edns = Edns{.payload_bytes_max = 512, .version = 1};
  EXPECT_EQ(rcode_for(other), Rcode::bad_version);
  other = query;
  other.questions[0].question_class = 3;
  EXPECT_EQ(rcode_for(other), Rcode::refused);
  other = query;
  other.questions.clear();
  EXPECT_EQ(rcode_for(other), Rcode::format_error);

  const std::string bytes = write_message(query).value();
  const auto broken =
      parse_message(answer_bytes(zones, bytes.substr(0, 20), Transport::udp).value());
  EXPECT_EQ(broken.value().rcode, Rcode::format_error);
  EXPECT_EQ(broken.value().id, 0x1234);
  EXPECT_EQ(answer_bytes(zones, bytes.substr(0, 11), Transport::udp), std::nullopt);
  other = query;
  other.flags.response = true;
  EXPECT_EQ(answer_bytes(zones, write_message(other).value(), Transport::udp), std::nullopt);
}

TEST(AnswerBytes, gives_the_question_back_in_its_own_case) {
  std::string query = "\0\1\0\0\0\1\0\0\0\0\0\0\4mAiL\7eXample\0\0\1\0\1"s;
  const auto response = answer_bytes(std::span(&zone(), 1), query, Transport::udp).value();
  EXPECT_EQ(response.substr(12, 18), query.substr(12, 18));
  EXPECT_EQ(parse_message(response).value().answers.size(), 1U);
}

TEST(AnswerBytes, fit_what_the_asker_can_take) {
  std::string text = "@ SOA a b 1 2 3 4 5\n";
  for (int i = 0; i < 30; ++i) text += "@ TXT " + std::to_string(i) + std::string(200, 'x') + "\n";
  const Zone big = Zone::from_text(text, "example").value();
  Message query;
  query.questions = {{.name = "example", .type = Type::txt}};
  const auto size_of = [&](Transport transport) {
    const std::string bytes =
        answer_bytes(std::span(&big, 1), write_message(query).value(), transport).value();
    EXPECT_EQ(parse_message(bytes).value().flags.truncated, transport == Transport::udp);
    return bytes.size();
  };
  EXPECT_LE(size_of(Transport::udp), 512U);
  query.edns = Edns{.payload_bytes_max = 65535};
  const std::size_t size = size_of(Transport::udp);
  EXPECT_TRUE(size > 512 && size <= 4096) << size;
  EXPECT_GT(size_of(Transport::tcp), 6000U);
}

}  // namespace
}  // namespace tapal::dns
