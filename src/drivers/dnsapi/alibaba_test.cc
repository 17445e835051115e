#include <gtest/gtest.h>

#include "drivers/dnsapi/test_script.h"
#include "values/crypto/request_signature.h"
#include "values/text/hex.h"

namespace tapal::dnsapi {
namespace {

using dns::Type;
using Parameters = std::vector<crypto::NamedValue>;

struct AlibabaTest : AccountTest {
  AlibabaTest() {
    http.url = "https://alidns.aliyuncs.com";
    http.headers = {{"Accept", "application/json"}};
    open("alibaba", {{"access_key_id", "LTAI"}, {"access_key_secret", "s3cret"}});
  }
  // The nonces are those of the same seed.
  void call(const std::string& action, const Parameters& parameters) {
    crypto::SignableRequest form;
    form.method = "POST";
    form.query = parameters;
    form.headers = {{"host", "alidns.aliyuncs.com"}};
    auto& step = http.on("POST", "/?" + crypto::canonical_query(parameters));
    for (auto& [name, value] :
         crypto::sign_alibaba(form,
                              {"LTAI", "s3cret"},
                              {action, "2015-01-09", text::to_hex(nonces.bytes(16))},
                              loop.wall_now()))
      step.more.push_back({name, value});
  }
  void zone() {
    call("DescribeDomains", {{"KeyWord", "example.com"}, {"SearchMode", "EXACT"}});
    http.answer(
        200,
        R"({"TotalCount":1,"Domains":{"Domain":[{"DomainName":"example.com","PunyCode":"example.com"}]}})");
  }
  void lists(const std::string& type, const std::string& rr, const std::string& records) {
    call("DescribeSubDomainRecords",
         {{"DomainName", "example.com"},
          {"SubDomain", rr + ".example.com"},
          {"Type", type},
          {"PageSize", "500"}});
    http.answer(200, R"({"TotalCount":1,"DomainRecords":{"Record":[)" + records + "]}}");
  }
  SeededRandom nonces;
};

TEST_F(AlibabaTest, finds_the_zone_by_its_exact_name_or_its_a_labels) {
  call("DescribeDomains", {{"KeyWord", "mail.example.com"}, {"SearchMode", "EXACT"}});
  http.answer(200, R"({"TotalCount":0,"Domains":{"Domain":[]}})");
  zone();
  EXPECT_EQ(find_zone("mail.example.com").value(), "example.com");
  call("DescribeDomains", {{"KeyWord", "xn--fiqs8s.example"}, {"SearchMode", "EXACT"}});
  http.answer(
      200,
      R"({"Domains":{"Domain":[{"DomainName":"中国.example","PunyCode":"xn--fiqs8s.example"}]}})");
  EXPECT_EQ(find_zone("xn--fiqs8s.example").value(), "xn--fiqs8s.example");
}

TEST_F(AlibabaTest, reads_what_everybody_is_answered) {
  zone();
  lists(
      "MX",
      "@",
      R"({"RR":"@","Line":"default","Status":"ENABLE","Type":"MX","Value":"mail.example.com","RecordId":"1","TTL":600,"Priority":10},
           {"RR":"@","Line":"oversea","Status":"ENABLE","Type":"MX","Value":"other.example.com","RecordId":"2","TTL":600,"Priority":5},
           {"RR":"@","Line":"default","Status":"DISABLE","Type":"MX","Value":"off.example.com","RecordId":"3","TTL":600,"Priority":5})");
  EXPECT_EQ(read("example.com", Type::mx).value(),
            set("example.com", Type::mx, {"10 mail.example.com."}, 600));
  lists("TXT",
        "s1._domainkey",
        R"({"Line":"default","Value":"v=DKIM1; p=a+b/c==","RecordId":"4","TTL":600})");
  EXPECT_EQ(read("s1._domainkey.example.com", Type::txt).value(),
            set("s1._domainkey.example.com", Type::txt, {"\"v=DKIM1; p=a+b/c==\""}, 600));
}

TEST_F(AlibabaTest, writes_every_type_it_has) {
  struct Case {
    Type type;
    const char* content;
    Parameters parameters;
  };
  const Case cases[] = {
      {Type::a, "192.0.2.1", {{"Value", "192.0.2.1"}}},
      {Type::aaaa, "2001:db8::1", {{"Value", "2001:db8::1"}}},
      {Type::mx, "10 m.example.com.", {{"Value", "m.example.com"}, {"Priority", "10"}}},
      {Type::txt, "\"v=DKIM1; p=a+b/c==\"", {{"Value", "v=DKIM1; p=a+b/c=="}}},
      {Type::cname, "a.example.org.", {{"Value", "a.example.org"}}},
      {Type::srv, "0 1 465 m.example.com.", {{"Value", "0 1 465 m.example.com"}}},
      {Type::caa, "0 issue \"le.org\"", {{"Value", "0 issue \"le.org\""}}},
  };
  zone();
  for (const auto& c : cases) {
    SCOPED_TRACE(c.content);
    lists(dns::type_text(c.type), "x", "");
    auto parameters = c.parameters;
    parameters.emplace_back("DomainName", "example.com");
    parameters.emplace_back("RR", "x");
    parameters.emplace_back("Type", dns::type_text(c.type));
    parameters.emplace_back("TTL", "3600");
    call("AddDomainRecord", parameters);
    http.answer(200, R"({"RequestId":"r","RecordId":"9"})");
    const auto written = write({set("x.example.com", c.type, {c.content})});
    EXPECT_TRUE(written) << written.error().what;
  }
}

TEST_F(AlibabaTest, changes_and_removes_by_id) {
  zone();
  lists(
      "TXT",
      "@",
      R"({"Line":"default","Value":"v=spf1 -all","RecordId":"1","TTL":600},{"Line":"default","Value":"kept","RecordId":"2","TTL":600})");
  call("UpdateDomainRecord",
       {{"RecordId", "1"},
        {"RR", "@"},
        {"Type", "TXT"},
        {"Value", "v=spf1 mx -all"},
        {"TTL", "600"}});
  http.answer(200, R"({"RecordId":"1"})");
  EXPECT_TRUE(write({set("example.com", Type::txt, {"\"v=spf1 mx -all\"", "kept"}, 60)}));
  lists("TXT", "@", R"({"Line":"default","Value":"kept","RecordId":"2","TTL":600})");
  call("DeleteDomainRecord", {{"RecordId", "2"}});
  http.answer(400, R"({"Code":"DomainRecordNotBelongToUser","Message":"The record is not yours"})");
  EXPECT_TRUE(write({set("example.com", Type::txt, {})}));  // gone already
}

TEST_F(AlibabaTest, refuses_what_it_cannot_keep_before_anything_is_asked) {
  const auto tlsa = write({set("_25._tcp.example.com", Type::tlsa, {"3 1 1 abcd"})});
  ASSERT_FALSE(tlsa);
  EXPECT_EQ(tlsa.error().what,
            "Alibaba Cloud DNS: _25._tcp.example.com TLSA: this provider has no TLSA records");
  dns::RecordSet long_text{
      "example.com", Type::txt, std::chrono::seconds(600), {dns::Text{std::string(513, 'x')}}};
  const auto text = write({long_text});
  ASSERT_FALSE(text);
  EXPECT_TRUE(text.error().what.contains("at most 512")) << text.error().what;
}

TEST_F(AlibabaTest, tells_refusals_apart) {
  struct Case {
    int status;
    const char* code;
    Code expected;
  };
  const Case cases[] = {{404, "InvalidAccessKeyId.NotFound", Code::denied},
                        {400, "SignatureDoesNotMatch", Code::denied},
                        {403, "Forbidden.RAM", Code::denied},
                        {400, "InvalidParameter", Code::invalid}};
  for (const auto& c : cases) {
    call("DescribeDomains", {{"KeyWord", "example.com"}, {"SearchMode", "EXACT"}});
    http.answer(c.status, R"({"Code":")" + std::string(c.code) + R"(","Message":"no; s3cret"})");
    const auto found = find_zone("example.com");
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code, c.expected) << c.code;
    EXPECT_FALSE(found.error().what.contains("s3cret"));
  }
}

TEST_F(AlibabaTest, tries_again_when_it_is_throttled_with_a_signature_of_its_own) {
  call("DescribeDomains", {{"KeyWord", "example.com"}, {"SearchMode", "EXACT"}});
  http.answer(400, R"({"Code":"Throttling.User","Message":"slowly"})");
  // The second attempt comes a second later.
  crypto::SignableRequest form;
  form.method = "POST";
  form.query = {{"KeyWord", "example.com"}, {"SearchMode", "EXACT"}};
  form.headers = {{"host", "alidns.aliyuncs.com"}};
  auto& step = http.on("POST", "/?" + crypto::canonical_query(form.query));
  for (auto& [name, value] :
       crypto::sign_alibaba(form,
                            {"LTAI", "s3cret"},
                            {"DescribeDomains", "2015-01-09", text::to_hex(nonces.bytes(16))},
                            loop.wall_now() + std::chrono::seconds(1)))
    step.more.push_back({name, value});
  http.answer(200, R"({"Domains":{"Domain":[{"DomainName":"example.com"}]}})");
  EXPECT_TRUE(find_zone("example.com"));
}

}  // namespace
}  // namespace tapal::dnsapi
