#include <gtest/gtest.h>

#include "drivers/dnsapi/test_script.h"

namespace tapal::dnsapi {
namespace {

using dns::Type;

struct PorkbunTest : AccountTest {
  PorkbunTest() {
    http.url = "https://api.porkbun.com/api/json/v3";
    http.headers = {{"X-API-Key", "pk1_key"},
                    {"X-Secret-API-Key", "sk1_secret"},
                    {"Accept", "application/json"}};
    open("porkbun", {{"api_key", "pk1_key"}, {"secret_api_key", "sk1_secret"}});
  }
  void posts(const std::string& target, const std::string& body, const std::string& answer) {
    http.on("POST", target, body).more = {{"Content-Type", "application/json"}};
    http.answer(200, R"({"status":"SUCCESS",)" + answer + "}");
  }
  void zone() {
    posts("/domain/listAll",
          R"({"start":"0"})",
          R"("domains":[{"domain":"example.org"},{"domain":"example.com"}])");
  }
  void lists(const std::string& path, const std::string& records) {
    http.on("GET", "/dns/retrieveByNameType/example.com/" + path);
    http.answer(200, R"({"status":"SUCCESS","records":[)" + records + "]}");
  }
};

TEST_F(PorkbunTest, finds_the_zone_among_all_domains) {
  std::string many;
  for (int i = 0; i < 1000; ++i)
    many +=
        (i == 0 ? "" : ",") + std::string(R"({"domain":"d)") + std::to_string(i) + R"(.example"})";
  posts("/domain/listAll", R"({"start":"0"})", R"("domains":[)" + many + "]");
  posts("/domain/listAll", R"({"start":"1000"})", R"("domains":[{"domain":"example.com"}])");
  EXPECT_EQ(find_zone("example.com").value(), "example.com");
}

TEST_F(PorkbunTest, reads_numbers_that_are_texts) {
  zone();
  lists(
      "MX",
      R"({"id":"106","name":"example.com","type":"MX","content":"mail.example.com","ttl":"600","prio":"10","notes":null})");
  EXPECT_EQ(read("example.com", Type::mx).value(),
            set("example.com", Type::mx, {"10 mail.example.com."}, 600));
  lists("SRV/_submissions._tcp",
        R"({"id":"107","content":"1 465 mail.example.com","ttl":"600","prio":"0"})");
  EXPECT_EQ(read("_submissions._tcp.example.com", Type::srv).value(),
            set("_submissions._tcp.example.com", Type::srv, {"0 1 465 mail.example.com."}, 600));
}

TEST_F(PorkbunTest, writes_every_type) {
  struct Case {
    Type type;
    const char* content;
    const char* sent;
    const char* more;
  };
  const Case cases[] = {
      {Type::a, "192.0.2.1", "192.0.2.1", ""},
      {Type::mx, "10 m.example.com.", "m.example.com", R"(,"prio":"10")"},
      {Type::txt, "\"v=DKIM1; p=a+b\"", "v=DKIM1; p=a+b", ""},
      {Type::cname, "a.example.org.", "a.example.org", ""},
      {Type::srv, "5 1 465 m.example.com.", "1 465 m.example.com", R"(,"prio":"5")"},
      {Type::caa, "0 issue \"le.org\"", R"(0 issue \"le.org\")", ""},
      {Type::tlsa, "3 1 1 abcd", "3 1 1 abcd", ""},
  };
  zone();
  for (const auto& c : cases) {
    SCOPED_TRACE(c.content);
    const auto type = dns::type_text(c.type);
    lists(type + "/x", "");
    posts("/dns/create/example.com",
          R"({"name":"x","type":")" + type + R"(","content":")" + c.sent + R"(","ttl":"3600")" +
              c.more + "}",
          R"("id":106926659)");
    const auto written = write({set("x.example.com", c.type, {c.content})});
    EXPECT_TRUE(written) << written.error().what;
  }
}

TEST_F(PorkbunTest, edits_and_deletes_by_id) {
  zone();
  lists(
      "TXT",
      R"({"id":"1","content":"old","ttl":"600","prio":""},{"id":"2","content":"gone","ttl":"600","prio":""})");
  posts("/dns/edit/example.com/1",
        R"({"name":"","type":"TXT","content":"new","ttl":"600"})",
        R"("x":0)");
  posts("/dns/delete/example.com/2", "{}", R"("x":0)");
  EXPECT_TRUE(write({set("example.com", Type::txt, {"new"}, 60)}));
}

TEST_F(PorkbunTest, tells_wrong_keys_and_domains_that_its_api_may_not_touch) {
  http.on("POST", "/domain/listAll", R"({"start":"0"})").more = {
      {"Content-Type", "application/json"}};
  http.answer(400, R"({"status":"ERROR","message":"Invalid API key. (002) sk1_secret"})");
  const auto found = find_zone("example.com");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Code::denied);
  EXPECT_FALSE(found.error().what.contains("sk1_secret"));
  zone();
  http.on("GET", "/dns/retrieveByNameType/example.com/A");
  http.answer(400, R"({"status":"ERROR","message":"Domain is not opted in to API access."})");
  EXPECT_EQ(read("example.com", Type::a).error().code, Code::denied);
}

}  // namespace
}  // namespace tapal::dnsapi
