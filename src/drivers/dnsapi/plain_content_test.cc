#include "drivers/dnsapi/plain_content.h"

#include <gtest/gtest.h>

#include "drivers/dnsapi/record_forms.h"

namespace tapal::dnsapi {
namespace {

using dns::Type;
using Ranked = PlainContent::Ranked;

struct PlainCase {
  Type type;
  const char* data;  // as a master file has it
  const char* content;
  std::int64_t priority;
};

TEST(PlainContent, goes_to_and_fro_for_every_type) {
  const PlainCase cases[] = {
      {Type::a, "192.0.2.1", "192.0.2.1", 0},
      {Type::aaaa, "2001:db8::1", "2001:db8::1", 0},
      {Type::cname, "a.example.org.", "a.example.org", 0},
      {Type::mx, "10 m.example.com.", "m.example.com", 10},
      {Type::mx, "0 .", ".", 0},
      {Type::txt, "\"v=DKIM1; p=a+b/c==\"", "v=DKIM1; p=a+b/c==", 0},
      {Type::caa, "0 issue \"ca.example\"", "0 issue \"ca.example\"", 0},
      {Type::caa, "128 issuewild \";\"", "128 issuewild \";\"", 0},
      {Type::tlsa, "3 1 1 abcd", "3 1 1 abcd", 0},
      {Type::srv, "5 1 465 m.example.com.", "1 465 m.example.com", 5},
      {Type::srv, "0 0 0 .", "0 0 .", 0},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.data);
    const auto data = data_from_content(c.type, c.data).value();
    const auto plain = plain_content(c.type, data, Ranked::mx_and_srv);
    EXPECT_EQ(plain.content, c.content);
    EXPECT_EQ(plain.priority, c.priority);
    EXPECT_EQ(data_from_plain(c.type, plain, Ranked::mx_and_srv).value(), data);
  }
}

TEST(PlainContent, keeps_the_priority_of_srv_in_the_content_where_only_mx_has_a_field) {
  const auto data = data_from_content(Type::srv, "5 1 465 m.example.com.").value();
  const auto plain = plain_content(Type::srv, data, Ranked::mx);
  EXPECT_EQ(plain.content, "5 1 465 m.example.com");
  EXPECT_EQ(data_from_plain(Type::srv, plain, Ranked::mx).value(), data);
}

TEST(PlainContent, reads_what_providers_make_of_it) {
  EXPECT_EQ(data_from_plain(Type::txt, {"\"a \" \"b\""}, Ranked::mx).value(),
            dns::Data(dns::Text{"a b"}));
  EXPECT_EQ(data_from_plain(Type::mx, {"M.example.com.", 1}, Ranked::mx).value(),
            dns::Data(dns::MailExchange{1, "m.example.com"}));
  EXPECT_EQ(data_from_plain(Type::mx, {"", 0}, Ranked::mx).value(),
            dns::Data(dns::MailExchange{0, ""}));
  EXPECT_FALSE(data_from_plain(Type::a, {"no address"}, Ranked::mx));
  EXPECT_FALSE(data_from_plain(Type::mx, {"m.example.com", 70'000}, Ranked::mx));
}

}  // namespace
}  // namespace tapal::dnsapi
