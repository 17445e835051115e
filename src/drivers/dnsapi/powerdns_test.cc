#include <gtest/gtest.h>

#include "drivers/dnsapi/test_script.h"

namespace tapal::dnsapi {
namespace {

using dns::Type;

struct PowerDnsTest : AccountTest {
  PowerDnsTest() {
    http.url = "http://ns.example:8081";
    http.headers = {{"X-API-Key", "k3y"}, {"Accept", "application/json"}};
    open("powerdns", {{"key", "k3y"}});
    http.url += "/api/v1/servers/localhost";
  }
  void zone() {
    http.on("GET", "/zones?zone=example.com.");
    http.answer(200, R"([{"id":"example.com.","name":"example.com.","kind":"Native"}])");
  }
  void keeps(const std::string& name, const std::string& type, const std::string& rrsets) {
    http.on("GET", "/zones/example.com.?rrset_name=" + name + ".&rrset_type=" + type);
    http.answer(200, R"({"name":"example.com.","rrsets":[)" + rrsets + "]}");
  }
  void patches(const std::string& rrsets) {
    http.on("PATCH", "/zones/example.com.", R"({"rrsets":[)" + rrsets + "]}").more = {
        {"Content-Type", "application/json"}};
    http.answer(204);
  }
};

TEST_F(PowerDnsTest, finds_the_longest_zone_that_fits) {
  http.on("GET", "/zones?zone=mail.example.com.");
  http.answer(200, "[]");
  zone();
  EXPECT_EQ(find_zone("mail.example.com").value(), "example.com");
}

TEST_F(PowerDnsTest, reads_the_set_that_was_asked_for_and_no_other) {
  zone();
  keeps(
      "example.com",
      "TXT",
      R"({"name":"example.com.","type":"A","ttl":60,"records":[{"content":"192.0.2.1","disabled":false}]},)"
      R"({"name":"example.com.","type":"TXT","ttl":300,"records":[{"content":"\"v=spf1 \" \"-all\"","disabled":false},{"content":"\"off\"","disabled":true}]})");
  EXPECT_EQ(read("example.com", Type::txt).value(),
            set("example.com", Type::txt, {"\"v=spf1 -all\""}, 300));
  keeps("x.example.com", "MX", "");
  EXPECT_TRUE(read("x.example.com", Type::mx).value().data.empty());
}

TEST_F(PowerDnsTest, writes_all_that_differs_in_one_call) {
  zone();
  keeps("example.com", "MX", "");
  keeps(
      "example.com",
      "TXT",
      R"({"name":"example.com.","type":"TXT","ttl":3600,"records":[{"content":"\"same\"","disabled":false}]})");
  keeps("_25._tcp.example.com", "TLSA", "");
  keeps(
      "old.example.com",
      "A",
      R"({"name":"old.example.com.","type":"A","ttl":60,"records":[{"content":"192.0.2.9","disabled":false}]})");
  patches(
      R"({"name":"example.com.","type":"MX","ttl":3600,"changetype":"REPLACE","records":[{"content":"10 m.example.com.","disabled":false},{"content":"20 n.example.com.","disabled":false}]},)"
      R"({"name":"_25._tcp.example.com.","type":"TLSA","ttl":3600,"changetype":"REPLACE","records":[{"content":"3 1 1 abcd","disabled":false}]},)"
      R"({"name":"old.example.com.","type":"A","ttl":3600,"changetype":"DELETE","records":[]})");
  const auto written =
      write({set("old.example.com", Type::a, {}),
             set("example.com", Type::mx, {"10 m.example.com.", "20 n.example.com."}),
             set("example.com", Type::txt, {"\"same\""}),
             set("_25._tcp.example.com", Type::tlsa, {"3 1 1 abcd"})});
  EXPECT_TRUE(written) << written.error().what;
}

TEST_F(PowerDnsTest, splits_long_text_as_master_files_do) {
  zone();
  keeps("a.example.com", "TXT", "");
  patches(
      R"({"name":"a.example.com.","type":"TXT","ttl":3600,"changetype":"REPLACE","records":[{"content":"\")" +
      std::string(255, 'x') + R"(\" \")" + std::string(45, 'x') + R"(\"","disabled":false}]})");
  dns::RecordSet wanted{
      "a.example.com", Type::txt, std::chrono::seconds(3600), {dns::Text{std::string(300, 'x')}}};
  EXPECT_TRUE(write({wanted}));
}

TEST_F(PowerDnsTest, tells_a_wrong_key_and_a_refused_record) {
  http.on("GET", "/zones?zone=example.com.");
  http.answer(401, "Unauthorized\n");
  EXPECT_EQ(find_zone("example.com").error().what,
            "PowerDNS: 401 Unauthorized (are the credentials right, and do they reach this zone?)");
  zone();
  keeps("a.example.com", "A", "");
  http.on("PATCH",
          "/zones/example.com.",
          R"({"rrsets":[{"name":"a.example.com.","type":"A","ttl":3600,"changetype":"REPLACE","records":[{"content":"192.0.2.1","disabled":false}]}]})")
      .more = {{"Content-Type", "application/json"}};
  http.answer(422, R"({"error":"RRset a.example.com. IN A: Conflicts with pre-existing RRset"})");
  const auto written = write({set("a.example.com", Type::a, {"192.0.2.1"})});
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, Code::invalid);
  EXPECT_EQ(written.error().what,
            "PowerDNS: 422 RRset a.example.com. IN A: Conflicts with pre-existing RRset");
}

}  // namespace
}  // namespace tapal::dnsapi
