#include "drivers/dnsapi/record_forms.h"

#include <gtest/gtest.h>

#include "values/dns/rdata.h"

namespace tapal::dnsapi {
namespace {

using dns::Type;

TEST(RelativeName, is_the_part_before_the_zone) {
  EXPECT_EQ(relative_name("example.com", "example.com"), "@");
  EXPECT_EQ(relative_name("example.com", "example.com", ""), "");
  EXPECT_EQ(relative_name("a.b.example.com", "example.com"), "a.b");
  for (const auto* name : {"example.com", "a.b.example.com", "_25._tcp.mail.example.com"})
    EXPECT_EQ(absolute_name(relative_name(name, "example.com"), "example.com"), name);
  EXPECT_EQ(absolute_name("", "example.com"), "example.com");
  EXPECT_EQ(absolute_name("example.com.", "example.com"), "example.com");
  EXPECT_EQ(absolute_name("www.example.com", "example.com"), "www.example.com");
}

TEST(DataFromContent, reads_master_file_text) {
  const std::pair<Type, std::string> cases[] = {{Type::a, "192.0.2.1"},
                                                {Type::aaaa, "2001:db8::1"},
                                                {Type::cname, "a.example."},
                                                {Type::mx, "10 a.example."},
                                                {Type::mx, "0 ."},
                                                {Type::txt, "\"a b\" \"c\""},
                                                {Type::srv, "0 1 465 a.example."},
                                                {Type::caa, "0 issue \"le.org; a=b\""},
                                                {Type::tlsa, "3 1 1 abcd"}};
  for (const auto& [type, content] : cases) {
    const auto data = data_from_content(type, content);
    ASSERT_TRUE(data) << content;
    if (type != Type::txt) EXPECT_EQ(dns::data_to_text(type, *data), content);
  }
  EXPECT_EQ(data_from_content(Type::cname, "a.example"), dns::Data(dns::NameTarget{"a.example"}));
  for (const auto* content :
       {"", "x", "192.0.2.1 x", "192.0.2.1\ny. 1 IN A 192.0.2.2", "(192.0.2.1"})
    EXPECT_FALSE(data_from_content(Type::a, content)) << content;
}

TEST(TextForms, come_back_as_they_went_in) {
  for (const std::string& value : {std::string("v=DKIM1; k=rsa; p=a+/="),
                                   std::string("a \"b\" \\c"),
                                   std::string(600, 'x'),
                                   std::string("caf\xc3\xa9")}) {
    EXPECT_EQ(text_from_content(quoted_text(value)), value);
    EXPECT_EQ(text_from_content(dns::data_to_text(Type::txt, dns::Text{value})), value);
  }
  EXPECT_EQ(text_from_content("v=spf1 -all"), "v=spf1 -all");
  EXPECT_EQ(text_from_content("\"a\\"), "a");
  EXPECT_EQ(text_from_content("\"a\\999\""), "a999");
  EXPECT_EQ(text_from_content("\""), "");
}

}  // namespace
}  // namespace tapal::dnsapi
