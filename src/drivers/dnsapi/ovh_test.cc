#include <chrono>

#include <gtest/gtest.h>

#include "drivers/dnsapi/test_script.h"
#include "values/crypto/sha1.h"
#include "values/text/hex.h"

namespace tapal::dnsapi {
namespace {

using dns::Type;

struct OvhTest : AccountTest {
  OvhTest() {
    http.url = "https://eu.api.ovh.com/1.0";
    http.headers = {{"X-Ovh-Application", "app"},
                    {"X-Ovh-Consumer", "cons"},
                    {"X-Ovh-Timestamp", "1795305600"},  // of the test's loop
                    {"Accept", "application/json"}};
    loop.run_for(std::chrono::seconds(0));
    http.headers[2].value = std::to_string(
        std::chrono::floor<std::chrono::seconds>(loop.wall_now().time_since_epoch()).count());
    open("ovh",
         {{"application_key", "app"}, {"application_secret", "s3cret"}, {"consumer_key", "cons"}});
  }
  void call(const std::string& method,
            const std::string& target,
            const std::string& body,
            const std::string& answer) {
    auto& step = http.on(method, target, body);
    const auto signed_text = "s3cret+cons+" + method + "+" + http.url + target + "+" + body + "+" +
                             http.headers[2].value;
    step.more = {{"X-Ovh-Signature", "$1$" + text::to_hex(crypto::sha1(signed_text))}};
    if (!body.empty()) step.more.push_back({"Content-Type", "application/json"});
    http.answer(200, answer);
  }
  void zone() { call("GET", "/domain/zone/example.com", "", R"({"name":"example.com"})"); }
  void ids(const std::string& type, const std::string& name, const std::string& found) {
    call("GET",
         "/domain/zone/example.com/record?fieldType=" + type + "&subDomain=" + name,
         "",
         "[" + found + "]");
  }
  void record(const std::string& id, const std::string& target) {
    call("GET",
         "/domain/zone/example.com/record/" + id,
         "",
         R"({"id":)" + id + R"(,"fieldType":"?","target":")" + target + R"(","ttl":3600})");
  }
  void no_texts(const std::string& name) {
    for (const auto* type : {"TXT", "SPF", "DKIM", "DMARC"}) ids(type, name, "");
  }
  void refreshes() { call("POST", "/domain/zone/example.com/refresh", "", "null"); }
};

TEST_F(OvhTest, finds_the_zone_also_with_credentials_for_it_alone) {
  call("GET", "/domain/zone/mail.example.com", "", "");
  http.answer(403,
              R"({"message":"This call has not been granted","errorCode":"NOT_GRANTED_CALL"})");
  zone();
  EXPECT_EQ(find_zone("mail.example.com").value(), "example.com");
}

TEST_F(OvhTest, reads_texts_that_its_forms_for_mail_have_made) {
  zone();
  ids("TXT", "", "1");
  ids("SPF", "", "2");
  ids("DKIM", "", "");
  ids("DMARC", "", "");
  record("1", R"(\"token\")");
  record("2", "v=spf1 include:mx.ovh.com ~all");
  EXPECT_EQ(read("example.com", Type::txt).value(),
            set("example.com", Type::txt, {"token", "\"v=spf1 include:mx.ovh.com ~all\""}));
}

TEST_F(OvhTest, writes_every_type_and_refreshes_the_zone) {
  struct Case {
    Type type;
    const char* content;
    const char* target;
  };
  const Case cases[] = {
      {Type::a, "192.0.2.1", "192.0.2.1"},
      {Type::mx, "10 m.example.com.", "10 m.example.com."},
      {Type::cname, "a.example.org.", "a.example.org."},
      {Type::srv, "0 1 465 m.example.com.", "0 1 465 m.example.com."},
      {Type::caa, "0 issue \"le.org\"", R"(0 issue \"le.org\")"},
      {Type::tlsa, "3 1 1 abcd", "3 1 1 abcd"},
  };
  zone();
  for (const auto& c : cases) {
    SCOPED_TRACE(c.content);
    const auto type = dns::type_text(c.type);
    ids(type, "x", "");
    call("POST",
         "/domain/zone/example.com/record",
         R"({"fieldType":")" + type + R"(","subDomain":"x","target":")" + c.target +
             R"(","ttl":3600})",
         R"({"id":9})");
    refreshes();
    const auto written = write({set("x.example.com", c.type, {c.content})});
    EXPECT_TRUE(written) << written.error().what;
  }
  no_texts("");
  call("POST",
       "/domain/zone/example.com/record",
       R"({"fieldType":"TXT","subDomain":"","target":"\"v=spf1 -all\"","ttl":60})",
       R"({"id":9})");
  refreshes();
  EXPECT_TRUE(write({set("example.com", Type::txt, {"\"v=spf1 -all\""}, 1)}));
}

TEST_F(OvhTest, changes_a_text_of_any_kind_without_its_type) {
  zone();
  ids("TXT", "_dmarc", "");
  ids("SPF", "_dmarc", "");
  ids("DKIM", "_dmarc", "");
  ids("DMARC", "_dmarc", "5");
  record("5", "v=DMARC1;p=none");
  call("PUT",
       "/domain/zone/example.com/record/5",
       R"({"subDomain":"_dmarc","target":"\"v=DMARC1; p=reject\"","ttl":3600})",
       "null");
  refreshes();
  EXPECT_TRUE(write({set("_dmarc.example.com", Type::txt, {"\"v=DMARC1; p=reject\""})}));
}

TEST_F(OvhTest, refreshes_also_when_nothing_differs_and_when_it_stopped) {
  zone();
  ids("A", "x", "1");
  record("1", "192.0.2.1");
  refreshes();  // a run before this one may have been cut off
  EXPECT_TRUE(write({set("x.example.com", Type::a, {"192.0.2.1"})}));
  ids("A", "x", "1");
  record("1", "192.0.2.1");
  call("DELETE", "/domain/zone/example.com/record/1", "", "");
  http.answer(400, R"({"message":"[target] invalid"})");
  refreshes();
  const auto written = write({set("x.example.com", Type::a, {})});
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().what, "x.example.com A: OVHcloud: 400 [target] invalid");
}

TEST_F(OvhTest, tells_wrong_credentials_without_showing_them) {
  call("GET", "/domain/zone/example.com", "", "");
  http.answer(400, R"({"message":"Invalid signature s3cret","errorCode":"INVALID_SIGNATURE"})");
  const auto found = find_zone("example.com");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Code::denied);
  EXPECT_TRUE(
      found.error().what.starts_with("OVHcloud: 400 Invalid signature *** (INVALID_SIGNATURE)"))
      << found.error().what;
}

}  // namespace
}  // namespace tapal::dnsapi
