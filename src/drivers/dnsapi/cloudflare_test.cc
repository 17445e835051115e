#include <gtest/gtest.h>

#include "drivers/dnsapi/test_script.h"
#include "values/dns/rdata.h"

namespace tapal::dnsapi {
namespace {

using dns::Type;

struct CloudflareTest : AccountTest {
  CloudflareTest() {
    http.url = "https://api.cloudflare.com/client/v4";
    http.headers = {{"Authorization", "Bearer t0ken"}, {"Accept", "application/json"}};
    open("cloudflare", {{"token", "t0ken"}});
  }
  void zone() {
    http.on("GET", "/zones?name=example.com");
    http.answer(200, R"({"success":true,"errors":[],"result":[{"id":"z1","name":"example.com"}]})");
  }
  void lists(const std::string& type, const std::string& name, const std::string& records) {
    http.on("GET", "/zones/z1/dns_records?name=" + name + "&per_page=100&type=" + type);
    http.answer(200, R"({"success":true,"errors":[],"result":[)" + records + "]}");
  }
  void writes(const std::string& method, const std::string& target, const std::string& body) {
    auto& step = http.on(method, "/zones/z1/dns_records" + target, body);
    if (!body.empty()) step.more = {{"Content-Type", "application/json"}};
    http.answer(200, R"({"success":true,"errors":[],"result":{"id":"new"}})");
  }
};

TEST_F(CloudflareTest, finds_the_longest_zone_that_fits) {
  http.on("GET", "/zones?name=a.mail.example.com");
  http.answer(200, R"({"success":true,"result":[]})");
  http.on("GET", "/zones?name=mail.example.com");
  http.answer(200, R"({"success":true,"result":[]})");
  zone();
  EXPECT_EQ(find_zone("a.mail.example.com").value(), "example.com");
  EXPECT_EQ(find_zone("example.com").value(), "example.com");  // from memory
}

TEST_F(CloudflareTest, says_that_no_zone_fits) {
  http.on("GET", "/zones?name=example.net");
  http.answer(200, R"({"success":true,"result":[]})");
  http.on("GET", "/zones?name=net");
  http.answer(200, R"({"success":true,"result":[]})");
  const auto found = find_zone("example.net");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Code::not_found);
  EXPECT_EQ(
      found.error().what,
      "Cloudflare: no zone of this account holds example.net; is the domain added there, and may "
      "these credentials see it?");
}

TEST_F(CloudflareTest, reads_every_type) {
  struct Case {
    Type type;
    const char* record;
    std::vector<std::string> contents;
  };
  const Case cases[] = {
      {Type::a, R"({"id":"1","ttl":1,"content":"192.0.2.1"})", {"192.0.2.1"}},
      {Type::mx,
       R"({"id":"1","ttl":300,"content":"mail.example.com","priority":10})",
       {"10 mail.example.com."}},
      {Type::txt, R"({"id":"1","ttl":300,"content":"\"v=spf1 \" \"-all\""})", {"\"v=spf1 -all\""}},
      {Type::txt, R"({"id":"1","ttl":300,"content":"v=spf1 -all"})", {"\"v=spf1 -all\""}},
      {Type::cname, R"({"id":"1","ttl":300,"content":"a.example.org"})", {"a.example.org."}},
      {Type::srv,
       R"({"id":"1","ttl":300,"content":"1 465 m.example.com","data":{"priority":0,"weight":1,"port":465,"target":"m.example.com"}})",
       {"0 1 465 m.example.com."}},
      {Type::caa,
       R"({"id":"1","ttl":300,"content":"0 issue \"le.org\"","data":{"flags":0,"tag":"issue","value":"le.org"}})",
       {"0 \"issue\" \"le.org\""}},
      {Type::tlsa, R"({"id":"1","ttl":300,"content":"3 1 1 abcd"})", {"3 1 1 abcd"}},
  };
  zone();
  for (const auto& c : cases) {
    SCOPED_TRACE(c.record);
    lists(dns::type_text(c.type), "www.example.com", c.record);
    const auto got = read("www.example.com", c.type);
    ASSERT_TRUE(got) << got.error().what;
    EXPECT_EQ(*got, set("www.example.com", c.type, c.contents, 300));
  }
}

TEST_F(CloudflareTest, writes_every_type) {
  struct Case {
    Type type;
    const char* content;
    const char* body;  // behind the TTL
  };
  const Case cases[] = {
      {Type::a, "192.0.2.1", R"("content":"192.0.2.1","proxied":false)"},
      {Type::aaaa, "2001:db8::1", R"("content":"2001:db8::1","proxied":false)"},
      {Type::mx, "10 m.example.com.", R"("content":"m.example.com","priority":10)"},
      {Type::mx, "0 .", R"("content":".","priority":0)"},
      {Type::txt, "\"a;b\"", R"("content":"\"a;b\"")"},
      {Type::cname, "a.example.org.", R"("content":"a.example.org","proxied":false)"},
      {Type::srv,
       "0 1 465 m.example.com.",
       R"("data":{"priority":0,"weight":1,"port":465,"target":"m.example.com"})"},
      {Type::caa, "0 issue \"le.org\"", R"("data":{"flags":0,"tag":"issue","value":"le.org"})"},
      {Type::tlsa,
       "3 1 1 abcd",
       R"("data":{"usage":3,"selector":1,"matching_type":1,"certificate":"abcd"})"},
  };
  zone();
  for (const auto& c : cases) {
    SCOPED_TRACE(c.content);
    const auto type = dns::type_text(c.type);
    lists(type, "x.example.com", "");
    writes("POST",
           "",
           R"({"type":")" + type + R"(","name":"x.example.com","ttl":3600,)" + c.body + "}");
    const auto written = write({set("x.example.com", c.type, {c.content})});
    EXPECT_TRUE(written) << written.error().what;
  }
}

TEST_F(CloudflareTest, replaces_removes_and_leaves_what_is_right) {
  zone();
  lists("TXT",
        "example.com",
        R"({"id":"r1","ttl":60,"content":"\"old\""},{"id":"r2","ttl":60,"content":"\"kept\""})");
  writes("PUT", "/r1", R"({"type":"TXT","name":"example.com","ttl":60,"content":"\"new\""})");
  EXPECT_TRUE(write({set("example.com", Type::txt, {"kept", "new"}, 5)}));  // the TTL is raised
  lists("TXT",
        "example.com",
        R"({"id":"r1","ttl":60,"content":"\"new\""},{"id":"r2","ttl":60,"content":"\"kept\""})");
  EXPECT_TRUE(write({set("example.com", Type::txt, {"kept", "new"}, 60)}));
  lists("TXT", "example.com", R"({"id":"r1","ttl":60,"content":"\"new\""})");
  writes("DELETE", "/r1", "");
  EXPECT_TRUE(write({set("example.com", Type::txt, {})}));
}

TEST_F(CloudflareTest, takes_a_record_that_is_gone_already_for_removed) {
  zone();
  lists("TXT", "example.com", R"({"id":"r1","ttl":60,"content":"\"new\""})");
  http.on("DELETE", "/zones/z1/dns_records/r1");
  http.answer(404,
              R"({"success":false,"errors":[{"code":81044,"message":"Record does not exist."}]})");
  EXPECT_TRUE(write({set("example.com", Type::txt, {})}));
}

TEST_F(CloudflareTest, tells_a_wrong_token) {
  http.on("GET", "/zones?name=example.com");
  http.answer(400,
              R"({"success":false,"errors":[{"code":6003,"message":"Invalid request headers"}]})");
  const auto found = find_zone("example.com");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Code::denied);
  EXPECT_EQ(
      found.error().what,
      "Cloudflare: 400 Invalid request headers (code 6003) (are the credentials right, and do they "
      "reach this zone?)");
}

TEST_F(CloudflareTest, waits_when_there_were_too_many_requests) {
  http.on("GET", "/zones?name=example.com");
  http.answer(429,
              R"({"success":false,"errors":[{"code":971,"message":"Please wait"}]})",
              {{"Retry-After", "2"}});
  zone();
  EXPECT_TRUE(find_zone("example.com"));
}

TEST_F(CloudflareTest, tells_at_which_set_it_stopped) {
  zone();
  lists("A", "example.com", R"({"id":"r1","ttl":3600,"content":"192.0.2.1"})");
  lists("MX", "example.com", "");
  auto& step =
      http.on("POST",
              "/zones/z1/dns_records",
              R"({"type":"MX","name":"example.com","ttl":3600,"content":"x","priority":1})");
  step.more = {{"Content-Type", "application/json"}};
  http.answer(400, R"({"success":false,"errors":[{"code":9005,"message":"Content is invalid"}]})");
  const auto written =
      write({set("example.com", Type::a, {"192.0.2.1"}), set("example.com", Type::mx, {"1 x."})});
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, Code::invalid);
  EXPECT_EQ(written.error().what,
            "example.com MX: Cloudflare: 400 Content is invalid (code 9005) (1 sets before it are "
            "written)");
}

}  // namespace
}  // namespace tapal::dnsapi
