#include "values/dns/zone_text.h"

#include <gtest/gtest.h>

#include "values/dns/rdata.h"

namespace tapal::dns {
namespace {

using std::chrono::seconds;

ZoneTextOptions in_example() {
  ZoneTextOptions options;
  options.origin = "example";
  return options;
}

TEST(ZoneText, reads_a_small_zone) {
  const auto records = parse_zone_text(
      "$ORIGIN Example.\n"
      "$TTL 1h ; an hour\n"
      "@ 2d IN SOA ns hostmaster ( 2024010101 ; serial\n"
      "    1d 2h\n"
      "    4w 300 )\n"
      "  IN NS ns\n"
      "  60 MX 10 mail\n"
      "\n"
      "ns IN 120 A 192.0.2.53\r\n"
      "mail AAAA 2001:db8::25\n"
      "*.sub CNAME mail.other.\n"
      "s._domainkey TXT \"v=DKIM1; \" \"p=\\\"\\065\" ( unquoted\n \"end\" )\n"
      "@ CAA 0 issue \"ca.example; x=1\"\n"
      "$ORIGIN deep\n"
      "a TYPE999 \\# 3 01 0203\n"
      "b TYPE1 \\# 4 C0000201");
  ASSERT_TRUE(records) << records.error().what;
  const auto& list = *records;
  ASSERT_EQ(list.size(), 10U);
  EXPECT_EQ(list[0].ttl, seconds(172800));
  EXPECT_EQ(soa_from_data(list[0].data).value(),
            (StartOfAuthority{
                "ns.example", "hostmaster.example", 2024010101, 86400, 7200, 2419200, 300}));
  EXPECT_EQ(list[1], (Record{"example", Type::ns, seconds(3600), NameTarget{"ns.example"}}));
  EXPECT_EQ(list[2], (Record{"example", Type::mx, seconds(60), MailExchange{10, "mail.example"}}));
  EXPECT_EQ(list[3].ttl, seconds(120));
  EXPECT_EQ(list[5],
            (Record{"*.sub.example", Type::cname, seconds(3600), NameTarget{"mail.other"}}));
  EXPECT_EQ(std::get<Text>(list[6].data).value, "v=DKIM1; p=\"Aunquotedend");
  EXPECT_EQ(std::get<RawData>(list[7].data).bytes, std::string("\0\5issueca.example; x=1", 22));
  EXPECT_EQ(list[8].name, "a.deep.example");
  EXPECT_EQ(std::get<RawData>(list[8].data).bytes, "\1\2\3");
  EXPECT_EQ(list[9].data, Data(*IpAddress::from_text("192.0.2.1")));
}

TEST(ZoneText, goes_round_for_every_type) {
  const std::string_view lines[] = {
      "example. 3600 IN SOA ns.example. host\\.master.example. 1 2 3 4 5",
      "example. 0 IN NS ns.example.",
      "example. 3600 IN MX 0 .",
      "example. 3600 IN A 192.0.2.1",
      "example. 3600 IN AAAA 2001:db8::1",
      "example. 3600 IN AAAA ::ffff:192.0.2.1",
      "*.example. 3600 IN CNAME other.example.",
      "1.2.0.192.in-addr.arpa. 3600 IN PTR mail.example.",
      "example. 3600 IN TXT \"\"",
      "example. 3600 IN TXT \"a \\\"quoted\\\" \\\\ \\000\\255; (x)\"",
      "_smtp._tcp.example. 3600 IN SRV 1 2 25 mail.example.",
      "_25._tcp.example. 3600 IN TLSA 3 1 1 00ff10",
      "example. 3600 IN DS 12345 13 2 00ff10",
      "example. 3600 IN DNSKEY 257 3 13 AAECAw==",
      "example. 3600 IN CAA 128 issue \"ca.example\"",
      "example. 3600 IN TYPE999 \\# 3 010203",
      "example. 3600 IN TYPE999 \\# 0",
      "example. 3600 IN SOA \\# 22 000000000001000000020000000300000004fffffffe",
      "a\\.b\\@.\\000.example. 3600 IN A 192.0.2.1",
      ". 3600 IN NS a.root-servers.net.",
  };
  for (const std::string_view line : lines) {
    const auto records = parse_zone_text(line);
    ASSERT_TRUE(records) << line << ": " << records.error().what;
    ASSERT_EQ(records->size(), 1U) << line;
    std::string expected(line);
    if (line.starts_with(". ")) expected = line;
    EXPECT_EQ(to_zone_text(records->front()), expected);
  }
}

TEST(ZoneText, splits_long_text_into_strings) {
  const Record record{"k.example", Type::txt, seconds(60), Text{std::string(600, 'k')}};
  const std::string line = to_zone_text(record);
  EXPECT_EQ(line,
            "k.example. 60 IN TXT \"" + std::string(255, 'k') + "\" \"" + std::string(255, 'k') +
                "\" \"" + std::string(90, 'k') + "\"");
  EXPECT_EQ(parse_zone_text(line).value(), std::vector{record});
  const std::vector both{record, record};
  EXPECT_EQ(to_zone_text(both), line + "\n" + line + "\n");
}

TEST(ZoneText, names_the_line_of_a_fault) {
  struct Case {
    std::string_view what, text, line;
  };
  const std::string long_string = "a TXT \"" + std::string(256, 'x') + "\"";
  const Case cases[] = {
      {"no type", "a 60 IN", "line 1:"},
      {"only a name", "\na", "line 2:"},
      {"an unknown type", "a NOPE x", "line 1:"},
      {"OPT", "a OPT x", "line 1:"},
      {"no first name", " A 192.0.2.1", "line 1:"},
      {"a bad name", "a..b A 192.0.2.1", "line 1:"},
      {"a bad address", "\n\na A 192.0.2.256", "line 3:"},
      {"IPv6 in A", "a A ::1", "line 1:"},
      {"IPv4 in AAAA", "a AAAA 192.0.2.1", "line 1:"},
      {"too many fields", "a A 192.0.2.1 x", "line 1:"},
      {"too few fields", "a MX 10", "line 1:"},
      {"a number too large", "a MX 65536 b", "line 1:"},
      {"a quote not closed", "a TXT \"x\n\"", "line 1:"},
      {"a parenthesis not closed", "a TXT ( x\n\n", "line 1:"},
      {"a parenthesis closed twice", "a TXT x )", "line 1:"},
      {"parentheses in parentheses", "a TXT ((x))", "line 1:"},
      {"a string too long", long_string, "line 1:"},
      {"a broken escape in a string", "a TXT \"\\25\"", "line 1:"},
      {"an escape over 255", "a TXT \"\\256\"", "line 1:"},
      {"$INCLUDE", "a A 192.0.2.1\n$INCLUDE /etc/passwd", "line 2:"},
      {"$GENERATE", "$GENERATE 1-1000000 a A 192.0.2.1", "line 1:"},
      {"$TTL without a number", "$TTL soon", "line 1:"},
      {"a TTL over 2^31", "$TTL 2147483648", "line 1:"},
      {"a generic length that lies", "a TYPE9 \\# 3 0102", "line 1:"},
      {"a generic A of three bytes", "a A \\# 3 010203", "line 1:"},
      {"hex digits odd", "a DS 1 2 3 012", "line 1:"},
      {"an entry behind a long one", "a TXT (\n\nx)\nb A x", "line 4:"},
  };
  for (const Case& test : cases) {
    const auto records = parse_zone_text(test.text, in_example());
    ASSERT_FALSE(records) << test.what;
    EXPECT_EQ(records.error().code, Code::invalid) << test.what;
    EXPECT_TRUE(records.error().what.starts_with(test.line))
        << test.what << ": " << records.error().what;
  }
}

TEST(ZoneText, is_bounded) {
  ZoneTextOptions options = in_example();
  options.records_max = 2;
  EXPECT_TRUE(parse_zone_text("a A 192.0.2.1\na A 192.0.2.2\n", options));
  EXPECT_FALSE(parse_zone_text("a A 192.0.2.1\na A 192.0.2.2\na A 192.0.2.3\n", options));
  options.entry_bytes_max = 10;
  EXPECT_FALSE(parse_zone_text("a TXT (x\n\n\n\n\n\n\n)\n", options));
  options.bytes_max = 10;
  EXPECT_FALSE(parse_zone_text("a A 192.0.2.1\n", options));
  EXPECT_TRUE(parse_zone_text("", options).value().empty());
}

TEST(Ttl, has_units) {
  EXPECT_EQ(parse_ttl("3600"), 3600U);
  EXPECT_EQ(parse_ttl("1h30M"), 5400U);
  EXPECT_EQ(parse_ttl("1w2d3h4m5s"), 788645U);
  EXPECT_EQ(parse_ttl("2147483647"), 2147483647U);
  for (const std::string_view text : {"", "h", "1h30", "1y", "-1", "2147483648", "4000w", "1 h"})
    EXPECT_EQ(parse_ttl(text), std::nullopt) << text;
}

}  // namespace
}  // namespace tapal::dns
