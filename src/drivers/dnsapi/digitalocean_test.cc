#include <gtest/gtest.h>

#include "drivers/dnsapi/test_script.h"
#include "values/dns/rdata.h"

namespace tapal::dnsapi {
namespace {

using dns::Type;

struct DigitalOceanTest : AccountTest {
  DigitalOceanTest() {
    http.url = "https://api.digitalocean.com/v2";
    http.headers = {{"Authorization", "Bearer t0ken"}, {"Accept", "application/json"}};
    open("digitalocean", {{"token", "t0ken"}});
  }
  void zone() {
    http.on("GET", "/domains/example.com");
    http.answer(200, R"({"domain":{"name":"example.com","ttl":1800}})");
  }
  void lists(const std::string& type,
             const std::string& name,
             const std::string& records,
             int page = 1) {
    http.on("GET",
            "/domains/example.com/records?name=" + name + "&page=" + std::to_string(page) +
                "&per_page=200&type=" + type);
    http.answer(200, R"({"domain_records":[)" + records + R"(],"links":{},"meta":{"total":1}})");
  }
  void writes(const std::string& method, const std::string& target, const std::string& body) {
    auto& step = http.on(method, "/domains/example.com/records" + target, body);
    if (!body.empty()) step.more = {{"Content-Type", "application/json"}};
    http.answer(body.empty() ? 204 : 200, body.empty() ? "" : R"({"domain_record":{"id":1}})");
  }
};

TEST_F(DigitalOceanTest, finds_the_longest_zone_that_fits) {
  http.on("GET", "/domains/mail.example.com");
  http.answer(404,
              R"({"id":"not_found","message":"The resource you requested could not be found."})");
  zone();
  EXPECT_EQ(find_zone("mail.example.com").value(), "example.com");
}

TEST_F(DigitalOceanTest, reads_every_type) {
  struct Case {
    Type type;
    const char* fields;
    const char* content;
  };
  const Case cases[] = {
      {Type::a, R"("data":"192.0.2.1")", "192.0.2.1"},
      {Type::aaaa, R"("data":"2001:db8::1")", "2001:db8::1"},
      {Type::mx, R"("data":"mail.example.com","priority":10)", "10 mail.example.com."},
      {Type::mx, R"("data":"@","priority":10)", "10 example.com."},
      {Type::txt, R"("data":"v=spf1 -all")", "\"v=spf1 -all\""},
      {Type::cname, R"("data":"a.example.org")", "a.example.org."},
      {Type::srv,
       R"("data":"m.example.com","priority":0,"weight":1,"port":465)",
       "0 1 465 m.example.com."},
      {Type::caa,
       R"("data":"letsencrypt.org","flags":0,"tag":"issue")",
       "0 \"issue\" \"letsencrypt.org\""},
  };
  zone();
  for (const auto& c : cases) {
    SCOPED_TRACE(c.fields);
    lists(dns::type_text(c.type),
          "www.example.com",
          std::string(R"({"id":3,"ttl":300,)") + c.fields + "}");
    const auto got = read("www.example.com", c.type);
    ASSERT_TRUE(got) << got.error().what;
    EXPECT_EQ(*got, set("www.example.com", c.type, {c.content}, 300));
  }
}

TEST_F(DigitalOceanTest, writes_every_type) {
  struct Case {
    Type type;
    const char* content;
    const char* fields;
  };
  const Case cases[] = {
      {Type::a, "192.0.2.1", R"("data":"192.0.2.1")"},
      {Type::aaaa, "2001:db8::1", R"("data":"2001:db8::1")"},
      {Type::mx, "10 m.example.com.", R"("priority":10,"data":"m.example.com.")"},
      {Type::txt, "\"a;b\"", R"("data":"a;b")"},
      {Type::cname, "a.example.org.", R"("data":"a.example.org.")"},
      {Type::srv,
       "0 1 465 m.example.com.",
       R"("priority":0,"weight":1,"port":465,"data":"m.example.com.")"},
      {Type::caa,
       "0 issue \"letsencrypt.org\"",
       R"("flags":0,"tag":"issue","data":"letsencrypt.org.")"},
  };
  zone();
  for (const auto& c : cases) {
    SCOPED_TRACE(c.content);
    const auto type = dns::type_text(c.type);
    lists(type, "x.example.com", "");
    writes("POST", "", R"({"type":")" + type + R"(","name":"x","ttl":3600,)" + c.fields + "}");
    const auto written = write({set("x.example.com", c.type, {c.content})});
    EXPECT_TRUE(written) << written.error().what;
  }
}

TEST_F(DigitalOceanTest, replaces_and_removes_by_id) {
  zone();
  lists("TXT", "example.com", R"({"id":3,"ttl":60,"data":"old"},{"id":4,"ttl":60,"data":"kept"})");
  writes("PUT", "/3", R"({"type":"TXT","name":"@","ttl":60,"data":"new"})");
  EXPECT_TRUE(write({set("example.com", Type::txt, {"kept", "new"}, 60)}));
  lists("TXT", "example.com", R"({"id":3,"ttl":60,"data":"new"},{"id":4,"ttl":60,"data":"kept"})");
  writes("DELETE", "/3", "");
  EXPECT_TRUE(write({set("example.com", Type::txt, {"kept"}, 60)}));
}

TEST_F(DigitalOceanTest, reads_page_after_page) {
  zone();
  std::string page;
  for (int i = 0; i < 200; ++i)
    page += (i == 0 ? "" : ",") + (R"({"id":)" + std::to_string(i) +
                                   R"(,"ttl":60,"data":"192.0.2.)" + std::to_string(i) + "\"}");
  lists("A", "a.example.com", page);
  lists("A", "a.example.com", R"({"id":900,"ttl":60,"data":"198.51.100.1"})", 2);
  EXPECT_EQ(read("a.example.com", Type::a).value().data.size(), 201U);
}

TEST_F(DigitalOceanTest, refuses_what_it_cannot_keep_before_anything_is_written) {
  const auto tlsa = write({set("a.example.com", Type::tlsa, {"3 1 1 ab"})});
  EXPECT_EQ(tlsa.error().what,
            "DigitalOcean: a.example.com TLSA: this provider has no TLSA records");
  dns::RecordSet text{
      "a.example.com", Type::txt, std::chrono::seconds(60), {dns::Text{std::string(513, 'x')}}};
  EXPECT_EQ(write({text}).error().code, Code::invalid);
  zone();
  lists("CAA", "example.com", "");
  EXPECT_EQ(write({set("example.com", Type::caa, {"0 issue \"a; b=c\""})}).error().what,
            "example.com CAA: DigitalOcean takes no CAA record with a \";\" in its value");
}

TEST_F(DigitalOceanTest, tells_a_wrong_token) {
  http.on("GET", "/domains/example.com");
  http.answer(401, R"({"id":"Unauthorized","message":"Unable to authenticate you"})");
  const auto found = find_zone("example.com");
  EXPECT_EQ(found.error().code, Code::denied);
  EXPECT_EQ(
      found.error().what,
      "DigitalOcean: 401 Unable to authenticate you (are the credentials right, and do they reach "
      "this zone?)");
}

}  // namespace
}  // namespace tapal::dnsapi
