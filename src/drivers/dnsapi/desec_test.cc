#include <gtest/gtest.h>

#include "drivers/dnsapi/test_script.h"

namespace tapal::dnsapi {
namespace {

using dns::Type;

struct DesecTest : AccountTest {
  DesecTest() {
    http.url = "https://desec.io/api/v1";
    http.headers = {{"Authorization", "Token t0ken"}, {"Accept", "application/json"}};
    open("desec", {{"token", "t0ken"}});
  }
  void zone() {
    http.on("GET", "/domains/example.com/");
    http.answer(200, R"({"name":"example.com","minimum_ttl":3600})");
  }
  void none(const std::string& place) {
    http.on("GET", "/domains/example.com/rrsets/" + place + "/");
    http.answer(404, R"({"detail":"Not found."})");
  }
};

TEST_F(DesecTest, finds_the_longest_zone_that_fits) {
  http.on("GET", "/domains/mail.example.com/");
  http.answer(404, R"({"detail":"Not found."})");
  zone();
  EXPECT_EQ(find_zone("mail.example.com").value(), "example.com");
}

TEST_F(DesecTest, reads_sets) {
  zone();
  http.on("GET", "/domains/example.com/rrsets/@/TXT/");
  http.answer(200,
              R"({"subname":"","type":"TXT","ttl":3600,"records":["\"v=spf1 -all\"","\"b\""]})");
  EXPECT_EQ(read("example.com", Type::txt).value(),
            set("example.com", Type::txt, {"\"v=spf1 -all\"", "\"b\""}));
  none("a/A");
  EXPECT_TRUE(read("a.example.com", Type::a).value().data.empty());
}

TEST_F(DesecTest, writes_all_that_differs_in_one_call) {
  zone();
  none("@/MX");
  none("_submissions._tcp/SRV");
  http.on("GET", "/domains/example.com/rrsets/old/A/");
  http.answer(200, R"({"subname":"old","type":"A","ttl":3600,"records":["192.0.2.9"]})");
  http.on("PUT",
          "/domains/example.com/rrsets/",
          R"([{"subname":"","type":"MX","ttl":3600,"records":["10 m.example.com."]},)"
          R"({"subname":"_submissions._tcp","type":"SRV","ttl":3600,"records":["0 1 465 m.example.com."]},)"
          R"({"subname":"old","type":"A","ttl":3600,"records":[]}])")
      .more = {{"Content-Type", "application/json"}};
  http.answer(200, "[]");
  const auto written =
      write({set("example.com", Type::mx, {"10 m.example.com."}, 60),
             set("_submissions._tcp.example.com", Type::srv, {"0 1 465 m.example.com."}),
             set("old.example.com", Type::a, {})});
  EXPECT_TRUE(written) << written.error().what;
}

TEST_F(DesecTest, tells_a_wrong_token_what_is_wrong_with_a_record_and_too_many_requests) {
  http.on("GET", "/domains/example.com/");
  http.answer(401, R"({"detail":"Invalid token."})");
  EXPECT_EQ(find_zone("example.com").error().code, Code::denied);
  http.on("GET", "/domains/example.com/");
  http.answer(429,
              R"({"detail":"Request was throttled. Expected available in 7200 seconds."})",
              {{"Retry-After", "7200"}});
  const auto full = find_zone("example.com");
  EXPECT_EQ(full.error().code, Code::full);
  EXPECT_EQ(
      full.error().what,
      "deSEC: 429 Request was throttled. Expected available in 7200 seconds. (its rate limit is "
      "reached; try again later); it asks to wait 7200 s");
  zone();
  none("a/A");
  http.on("PUT",
          "/domains/example.com/rrsets/",
          R"([{"subname":"a","type":"A","ttl":3600,"records":["192.0.2.1"]}])")
      .more = {{"Content-Type", "application/json"}};
  http.answer(400, R"([{"ttl":["Ensure this value is greater than or equal to 7200."]}])");
  EXPECT_EQ(write({set("a.example.com", Type::a, {"192.0.2.1"})}).error().what,
            R"(deSEC: 400 [{"ttl":["Ensure this value is greater than or equal to 7200."]}])");
}

}  // namespace
}  // namespace tapal::dnsapi
