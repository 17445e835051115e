#include <gtest/gtest.h>

#include "drivers/dnsapi/test_script.h"

namespace tapal::dnsapi {
namespace {

using dns::Type;

struct HetznerTest : AccountTest {
  HetznerTest() {
    http.url = "https://api.hetzner.cloud/v1";
    http.headers = {{"Authorization", "Bearer t0ken"}, {"Accept", "application/json"}};
    open("hetzner", {{"token", "t0ken"}});
  }
  void zone() {
    http.on("GET", "/zones/example.com");
    http.answer(200, R"({"zone":{"id":42,"name":"example.com","ttl":86400}})");
  }
  void none(const std::string& place) {
    http.on("GET", "/zones/42/rrsets/" + place);
    http.answer(404, R"({"error":{"code":"not_found","message":"RRSet not found"}})");
  }
  void keeps(const std::string& place, const std::string& ttl, const std::string& records) {
    http.on("GET", "/zones/42/rrsets/" + place);
    http.answer(200, R"({"rrset":{"id":"x","ttl":)" + ttl + R"(,"records":[)" + records + "]}}");
  }
  void acts(const std::string& method,
            const std::string& target,
            const std::string& body,
            const std::string& status = "success") {
    auto& step = http.on(method, "/zones/42/rrsets" + target, body);
    if (!body.empty()) step.more = {{"Content-Type", "application/json"}};
    http.answer(201, R"({"action":{"id":7,"status":")" + status + R"(","error":null}})");
  }
};

TEST_F(HetznerTest, finds_the_longest_zone_that_fits) {
  http.on("GET", "/zones/mail.example.com");
  http.answer(404, R"({"error":{"code":"not_found","message":"Zone not found"}})");
  zone();
  EXPECT_EQ(find_zone("mail.example.com").value(), "example.com");
}

TEST_F(HetznerTest, reads_sets_with_their_own_ttl_or_the_zones) {
  zone();
  keeps("@/TXT", "300", R"({"value":"\"v=spf1 -all\"","comment":""})");
  EXPECT_EQ(read("example.com", Type::txt).value(),
            set("example.com", Type::txt, {"\"v=spf1 -all\""}, 300));
  keeps("www/A", "null", R"({"value":"192.0.2.1"})");
  EXPECT_EQ(read("www.example.com", Type::a).value(),
            set("www.example.com", Type::a, {"192.0.2.1"}, 86400));
  none("x/MX");
  EXPECT_TRUE(read("x.example.com", Type::mx).value().data.empty());
}

TEST_F(HetznerTest, creates_and_waits_until_it_is_done) {
  zone();
  none("_25._tcp.mail/TLSA");
  none("_25._tcp.mail/TLSA");
  acts("POST",
       "",
       R"({"name":"_25._tcp.mail","type":"TLSA","ttl":3600,"records":[{"value":"3 1 1 abcd"}]})",
       "running");
  http.on("GET", "/actions/7");
  http.answer(200, R"({"action":{"id":7,"status":"running","error":null}})");
  http.on("GET", "/actions/7");
  http.answer(200, R"({"action":{"id":7,"status":"success","error":null}})");
  const auto written = write({set("_25._tcp.mail.example.com", Type::tlsa, {"3 1 1 abcd"})});
  EXPECT_TRUE(written) << written.error().what;
}

TEST_F(HetznerTest, changes_records_and_ttl_and_removes) {
  zone();
  keeps("@/MX", "60", R"({"value":"10 a.example.org."})");
  keeps("@/MX", "60", R"({"value":"10 a.example.org."})");
  acts("POST", "/@/MX/actions/change_ttl", R"({"ttl":3600})");
  acts("POST", "/@/MX/actions/set_records", R"({"records":[{"value":"10 m.example.com."}]})");
  EXPECT_TRUE(write({set("example.com", Type::mx, {"10 m.example.com."})}));
  keeps("@/MX", "3600", R"({"value":"10 m.example.com."})");
  EXPECT_TRUE(write({set("example.com", Type::mx, {"10 m.example.com."})}));
  keeps("@/MX", "3600", R"({"value":"10 m.example.com."})");
  keeps("@/MX", "3600", R"({"value":"10 m.example.com."})");
  acts("DELETE", "/@/MX", "");
  EXPECT_TRUE(write({set("example.com", Type::mx, {})}));
}

TEST_F(HetznerTest, tells_what_an_action_failed_at) {
  zone();
  none("a/A");
  none("a/A");
  http.on("POST",
          "/zones/42/rrsets",
          R"({"name":"a","type":"A","ttl":3600,"records":[{"value":"192.0.2.1"}]})")
      .more = {{"Content-Type", "application/json"}};
  http.answer(
      201,
      R"({"action":{"id":7,"status":"error","error":{"code":"action_failed","message":"Action failed"}}})");
  EXPECT_EQ(write({set("a.example.com", Type::a, {"192.0.2.1"})}).error().what,
            "a.example.com A: Hetzner: Action failed");
}

TEST_F(HetznerTest, tells_a_wrong_token_and_waits_while_the_zone_is_locked) {
  http.on("GET", "/zones/example.com");
  http.answer(401, R"({"error":{"code":"unauthorized","message":"unable to authenticate"}})");
  EXPECT_EQ(
      find_zone("example.com").error().what,
      "Hetzner: 401 unable to authenticate (unauthorized) (are the credentials right, and do they "
      "reach this zone?)");
  http.on("GET", "/zones/example.com");
  http.answer(423, R"({"error":{"code":"locked","message":"zone is locked"}})");
  http.on("GET", "/zones/example.com");
  http.answer(429, R"({"error":{"code":"rate_limit_exceeded","message":"limit reached"}})");
  zone();
  EXPECT_TRUE(find_zone("example.com"));
}

}  // namespace
}  // namespace tapal::dnsapi
