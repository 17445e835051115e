#include "values/dns/message.h"

#include <gtest/gtest.h>

#include "values/dns/rdata.h"
#include "values/dns/zone_text.h"

namespace tapal::dns {
namespace {

using namespace std::string_literals;

std::vector<Record> records(std::string_view text) {
  ZoneTextOptions options;
  options.origin = "example";
  return parse_zone_text(text, options).value();
}

Message sample() {
  Message message;
  message.id = 0xbeef;
  message.flags = {.response = true,
                   .authoritative = true,
                   .truncated = false,
                   .recursion_desired = true,
                   .recursion_available = true,
                   .authentic_data = true,
                   .checking_disabled = true,
                   .opcode = 0};
  message.questions = {{.name = "www.example", .type = Type::mx}};
  message.answers = records(
      "www CNAME mail\n"
      "mail MX 10 mx1\n"
      "mail MX 20 .\n"
      "mail A 192.0.2.1\n"
      "mail AAAA 2001:db8::1\n"
      "mail AAAA ::ffff:192.0.2.1\n"
      "mail TXT \"\"\n"
      "_25._tcp.mail TLSA 3 1 1 00ff\n"
      "_smtp SRV 1 2 25 mail\n"
      "x TYPE999 \\# 3 010203\n");
  message.authority = records("@ SOA ns hostmaster 1 2 3 4 5\n@ NS ns\n");
  message.additional = records("ns A 192.0.2.53\n");
  message.edns = Edns{.payload_bytes_max = 4096, .version = 0, .dnssec_ok = true};
  return message;
}

TEST(Message, goes_round) {
  const Message message = sample();
  const std::string bytes = write_message(message).value();
  const auto back = parse_message(bytes);
  ASSERT_TRUE(back) << back.error().what;
  EXPECT_EQ(*back, message);
  EXPECT_EQ(write_message(*back).value(), bytes);
}

TEST(Message, keeps_long_text_whole) {
  Message message;
  for (const std::size_t size : {0UL, 1UL, 255UL, 256UL, 510UL, 511UL, 4000UL, 60000UL}) {
    message.answers = {
        {.name = "t.example", .type = Type::txt, .data = Text{std::string(size, 'x')}}};
    const auto back = parse_message(write_message(message).value());
    ASSERT_TRUE(back) << size;
    EXPECT_EQ(back->answers, message.answers) << size;
  }
}

TEST(Message, with_an_extended_code_needs_edns) {
  Message message;
  message.rcode = Rcode::bad_version;
  EXPECT_FALSE(write_message(message));
  message.edns.emplace();
  EXPECT_EQ(parse_message(write_message(message).value()).value().rcode, Rcode::bad_version);
  EXPECT_EQ(rcode_text(Rcode::no_such_name), "NXDOMAIN");
  EXPECT_EQ(rcode_text(Rcode{23}), "RCODE23");
}

TEST(Message, cut_anywhere_is_refused) {
  const std::string bytes = write_message(sample()).value();
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(parse_message(std::string_view(bytes).substr(0, size))) << size;
  EXPECT_FALSE(parse_message(bytes + "x"));
  EXPECT_FALSE(parse_message(std::string(70000, '\0')));
}

TEST(Message, over_its_limit_leaves_out_whole_records_and_says_so) {
  Message message = sample();
  const std::string whole = write_message(message).value();
  for (std::size_t limit = 0; limit <= whole.size(); ++limit) {
    const auto bytes = write_message(message, limit);
    if (limit < 12 + 11 + 17) {
      EXPECT_FALSE(bytes) << limit;
      continue;
    }
    ASSERT_TRUE(bytes) << limit;
    EXPECT_LE(bytes->size(), limit);
    const auto back = parse_message(*bytes);
    ASSERT_TRUE(back) << limit << ": " << back.error().what;
    EXPECT_EQ(back->edns, message.edns);
    EXPECT_TRUE(
        std::ranges::equal(back->answers, std::span(message.answers).first(back->answers.size())));
    const bool is_complete = back->answers.size() == message.answers.size() &&
                             back->authority.size() == message.authority.size();
    EXPECT_EQ(back->flags.truncated, !is_complete) << limit;
  }
}

TEST(Message, that_breaks_a_rule_is_refused) {
  const std::string head = "\0\1\0\0\0\0\0\1\0\0\0\0"s;        // one answer
  const std::string head_extra = "\0\1\0\0\0\0\0\0\0\0\0\1"s;  // one additional
  const std::string ttl = "\0\0\0\0"s;
  const std::pair<std::string_view, std::string> cases[] = {
      {"an A of three bytes", head + "\0\0\1\0\1"s + ttl + "\0\3abc"s},
      {"an AAAA of four bytes", head + "\0\0\x1c\0\1"s + ttl + "\0\4abcd"s},
      {"class CH", head + "\0\0\1\0\3"s + ttl + "\0\4abcd"s},
      {"a TXT without a string", head + "\0\0\x10\0\1"s + ttl + "\0\0"s},
      {"a TXT string over the end", head + "\0\0\x10\0\1"s + ttl + "\0\2\5a"s},
      {"an MX without a name", head + "\0\0\x0f\0\1"s + ttl + "\0\2\0\1"s},
      {"an MX with more", head + "\0\0\x0f\0\1"s + ttl + "\0\4\0\1\0\0"s},
      {"a CNAME with more", head + "\0\0\5\0\1"s + ttl + "\0\2\0\0"s},
      {"a name over its record's end", head + "\0\0\5\0\1"s + ttl + "\0\1\1a\0"s},
      {"a SOA without names", head + "\0\0\6\0\1"s + ttl + "\0\0"s},
      {"an SRV cut off", head + "\0\0\x21\0\1"s + ttl + "\0\2\0\0"s},
      {"an OPT as answer", head + "\0\0\x29\0\1"s + ttl + "\0\0"s},
      {"an OPT with a name", head_extra + "\1a\0\0\x29\0\1"s + ttl + "\0\0"s},
      {"a count without records", "\0\1\0\0\xff\xff\xff\xff\xff\xff\xff\xff"s},
  };
  for (const auto& [what, bytes] : cases) {
    const auto message = parse_message(bytes);
    ASSERT_FALSE(message) << what;
    EXPECT_EQ(message.error().code, Code::invalid) << what;
  }
  EXPECT_TRUE(parse_message(head + "\0\0\1\0\1"s + ttl + "\0\4abcd"s));
}

TEST(Message, reads_a_negative_ttl_as_zero) {
  const auto message =
      parse_message("\0\1\0\0\0\0\0\1\0\0\0\0\0\0\1\0\1\xff\xff\xff\xff\0\4abcd"s).value();
  EXPECT_EQ(message.answers.at(0).ttl.count(), 0);
}

TEST(Message, uncompresses_names_inside_raw_data) {
  // example SOA . example.
  const std::string bytes =
      "\0\1\0\0\0\0\0\1\0\0\0\0\7example\0\0\6\0\1\0\0\0\0\0\x17\0\xc0\x0c\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5"s;
  const auto message = parse_message(bytes);
  ASSERT_TRUE(message) << message.error().what;
  const auto soa = soa_from_data(message->answers.at(0).data).value();
  EXPECT_EQ(soa, (StartOfAuthority{"", "example", 1, 2, 3, 4, 5}));
  EXPECT_EQ(soa_to_data(soa).value(), message->answers[0].data);
}

TEST(Message, is_not_written_with_wrong_data) {
  Message message;
  const Record wrong[] = {
      {.name = "a..b", .type = Type::a, .data = *IpAddress::from_text("192.0.2.1")},
      {.name = "a", .type = Type::a, .data = *IpAddress::from_text("2001:db8::1")},
      {.name = "a", .type = Type::mx, .data = Text{"x"}},
      {.name = "a", .type = Type::tlsa, .data = Text{"x"}},
      {.name = "a", .type = Type::cname, .data = NameTarget{"a b"}},
      {.name = "a", .type = Type::txt, .data = Text{std::string(65535, 'x')}},
      {.name = "", .type = Type::opt, .data = RawData{}},
  };
  for (const Record& record : wrong) {
    message.answers = {record};
    EXPECT_FALSE(write_message(message)) << type_text(record.type);
  }
  message.answers.clear();
  message.questions.resize(2);
  EXPECT_FALSE(write_message(message));
}

}  // namespace
}  // namespace tapal::dns
