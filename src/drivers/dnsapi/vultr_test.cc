#include <gtest/gtest.h>

#include "drivers/dnsapi/test_script.h"

namespace tapal::dnsapi {
namespace {

using dns::Type;

struct VultrTest : AccountTest {
  VultrTest() {
    http.url = "https://api.vultr.com/v2";
    http.headers = {{"Authorization", "Bearer t0ken"}, {"Accept", "application/json"}};
    open("vultr", {{"token", "t0ken"}});
  }
  void zone() {
    http.on("GET", "/domains/example.com");
    http.answer(200, R"({"domain":{"domain":"example.com","dns_sec":"disabled"}})");
  }
  void lists(const std::string& records,
             const std::string& cursor = "",
             const std::string& next = "") {
    http.on("GET",
            "/domains/example.com/records?" + (cursor.empty() ? "" : "cursor=" + cursor + "&") +
                "per_page=500");
    http.answer(200,
                R"({"records":[)" + records + R"(],"meta":{"total":9,"links":{"next":")" + next +
                    R"(","prev":""}}})");
  }
  void sends(const std::string& method,
             const std::string& target,
             const std::string& body,
             int status) {
    http.on(method, "/domains/example.com/records" + target, body).more = {
        {"Content-Type", "application/json"}};
    http.answer(status, status == 204 ? "" : R"({"record":{"id":"new"}})");
  }
};

TEST_F(VultrTest, finds_the_zone) {
  http.on("GET", "/domains/mail.example.com");
  http.answer(404, R"({"error":"Invalid domain.","status":404})");
  zone();
  EXPECT_EQ(find_zone("mail.example.com").value(), "example.com");
}

TEST_F(VultrTest, reads_the_records_of_one_name_and_type_from_all_pages) {
  zone();
  lists(R"({"id":"a","type":"TXT","name":"","data":"\"v=spf1 -all\"","priority":-1,"ttl":300},
           {"id":"b","type":"A","name":"","data":"192.0.2.1","priority":-1,"ttl":300},
           {"id":"c","type":"TXT","name":"_dmarc","data":"\"v=DMARC1; p=none\"","priority":-1,"ttl":300})",
        "",
        "bmV4dA==");
  lists(R"({"id":"d","type":"TXT","name":"","data":"\"second\"","priority":-1,"ttl":300})",
        "bmV4dA%3D%3D");
  EXPECT_EQ(read("example.com", Type::txt).value(),
            set("example.com", Type::txt, {"\"v=spf1 -all\"", "second"}, 300));
}

TEST_F(VultrTest, writes_every_type_it_has) {
  struct Case {
    Type type;
    const char* content;
    const char* data;
    const char* more;
  };
  const Case cases[] = {
      {Type::a, "192.0.2.1", "192.0.2.1", ""},
      {Type::mx, "10 m.example.com.", "m.example.com", R"(,"priority":10)"},
      {Type::txt, "\"v=DKIM1; p=a+b\"", R"(\"v=DKIM1; p=a+b\")", ""},
      {Type::cname, "a.example.org.", "a.example.org", ""},
      {Type::srv, "5 1 465 m.example.com.", "1 465 m.example.com", R"(,"priority":5)"},
      {Type::caa, "0 issue \"le.org\"", R"(0 issue \"le.org\")", ""},
  };
  zone();
  for (const auto& c : cases) {
    SCOPED_TRACE(c.content);
    lists("");
    sends("POST",
          "",
          R"({"name":"x","data":")" + std::string(c.data) + R"(","ttl":3600)" + c.more +
              R"(,"type":")" + dns::type_text(c.type) + "\"}",
          201);
    const auto written = write({set("x.example.com", c.type, {c.content})});
    EXPECT_TRUE(written) << written.error().what;
  }
  EXPECT_FALSE(write({set("_25._tcp.example.com", Type::tlsa, {"3 1 1 abcd"})}));
}

TEST_F(VultrTest, changes_and_removes_by_id) {
  zone();
  lists(
      R"({"id":"a","type":"TXT","name":"","data":"\"old\"","ttl":300},{"id":"b","type":"TXT","name":"","data":"\"gone\"","ttl":300})");
  sends("PATCH", "/a", R"({"name":"","data":"\"new\"","ttl":120})", 204);
  http.on("DELETE", "/domains/example.com/records/b");
  http.answer(404, R"({"error":"Invalid record","status":404})");  // gone already
  EXPECT_TRUE(write({set("example.com", Type::txt, {"new"}, 60)}));
}

TEST_F(VultrTest, tells_a_wrong_key) {
  http.on("GET", "/domains/example.com");
  http.answer(401, R"({"error":"Invalid API token.","status":401})");
  const auto found = find_zone("example.com");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Code::denied);
  EXPECT_TRUE(found.error().what.starts_with("Vultr: 401 Invalid API token."))
      << found.error().what;
}

}  // namespace
}  // namespace tapal::dnsapi
