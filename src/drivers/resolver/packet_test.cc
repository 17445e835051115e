#include "drivers/resolver/packet.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "values/dns/message.h"
#include "values/dns/zone_text.h"

namespace tapal {
namespace {

using std::chrono::seconds;
using Status = DnsAnswer::Status;

std::vector<dns::Record> records(std::string_view text) {
  return dns::parse_zone_text(text).value();
}

Result<DnsAnswer> read(const dns::Message& message, std::string name, dns::Type type) {
  return answer_from_packet({std::move(name), type}, dns::write_message(message).value());
}

TEST(Packet, follows_aliases_and_takes_the_least_ttl) {
  dns::Message message;
  message.answers = records(
      "mail.example. 300 A 192.0.2.1\nwww.example. 100 CNAME web.example.\n"
      "web.example. 200 CNAME mail.example.\nother.example. 1 A 192.0.2.9\nmail.example. 300 A "
      "192.0.2.2\n");
  const auto answer = read(message, "www.example", dns::Type::a).value();
  EXPECT_EQ(answer.status, Status::found);
  EXPECT_EQ(answer.canonical_name, "mail.example");
  EXPECT_EQ(answer.records.size(), 2U);
  EXPECT_EQ(answer.ttl, seconds(100));
  const auto alias = read(message, "www.example", dns::Type::cname).value();
  EXPECT_EQ(alias.canonical_name, "www.example");
  EXPECT_EQ(alias.records.size(), 1U);
}

TEST(Packet, takes_the_ttl_of_a_no_from_the_soa) {
  dns::Message message;
  message.authority = records("example. 600 SOA a. b. 1 2 3 4 60\n");
  EXPECT_EQ(read(message, "x.example", dns::Type::a).value().ttl, seconds(60));
  EXPECT_EQ(read(message, "x.example", dns::Type::a).value().status, Status::no_data);
  message.authority[0].ttl = seconds(30);
  message.rcode = dns::Rcode::no_such_name;
  EXPECT_EQ(read(message, "x.example", dns::Type::a).value().ttl, seconds(30));
  EXPECT_EQ(read(message, "x.example", dns::Type::a).value().status, Status::no_such_name);
  message.authority.clear();
  EXPECT_EQ(read(message, "x.example", dns::Type::a).value().ttl, seconds(0));
}

TEST(Packet, is_bounded_in_aliases) {
  dns::Message message;
  std::string text;
  for (int i = 0; i < 40; ++i) text += fmt::format("n{}.example. CNAME n{}.example.\n", i, i + 1);
  message.answers = records(text);
  EXPECT_EQ(read(message, "n0.example", dns::Type::a).error().code, Code::try_later);
  EXPECT_EQ(read(message, "n30.example", dns::Type::a).value().canonical_name, "n40.example");
  message.answers = records("a. CNAME b.\nb. CNAME a.\n");
  EXPECT_EQ(read(message, "a", dns::Type::a).error().code, Code::try_later);
}

TEST(Packet, makes_other_codes_and_broken_bytes_worth_another_try) {
  dns::Message message;
  message.rcode = dns::Rcode::refused;
  const auto refused = read(message, "x.example", dns::Type::a);
  EXPECT_EQ(refused.error().code, Code::try_later);
  EXPECT_NE(refused.error().what.find("REFUSED"), std::string::npos);
  EXPECT_EQ(answer_from_packet({"x", dns::Type::a}, "nonsense").error().code, Code::try_later);
}

}  // namespace
}  // namespace tapal
