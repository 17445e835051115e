#include <gtest/gtest.h>

#include "drivers/dnsapi/test_script.h"

namespace tapal::dnsapi {
namespace {

using dns::Type;

struct GandiTest : AccountTest {
  GandiTest() {
    http.url = "https://api.gandi.net/v5/livedns";
    http.headers = {{"Authorization", "Bearer pat"}, {"Accept", "application/json"}};
    open("gandi", {{"token", "pat"}});
  }
  void zone() {
    http.on("GET", "/domains/example.com");
    http.answer(200, R"({"fqdn":"example.com"})");
  }
  void nothing_at(const std::string& target) {
    http.on("GET", "/domains/example.com/records" + target);
    http.answer(404, R"({"code":404,"message":"Can't find the DNS record","object":"dns-record"})");
  }
  void has(const std::string& target, const std::string& ttl, const std::string& values) {
    http.on("GET", "/domains/example.com/records" + target);
    http.answer(200, R"({"rrset_ttl":)" + ttl + R"(,"rrset_values":[)" + values + "]}");
  }
  void puts(const std::string& target, const std::string& body) {
    http.on("PUT", "/domains/example.com/records" + target, body).more = {
        {"Content-Type", "application/json"}};
    http.answer(201, R"({"message":"DNS Record Created"})");
  }
};

TEST_F(GandiTest, finds_the_zone) {
  http.on("GET", "/domains/mail.example.com");
  http.answer(404, R"({"code":404,"message":"The resource could not be found."})");
  zone();
  EXPECT_EQ(find_zone("mail.example.com").value(), "example.com");
}

TEST_F(GandiTest, reads_and_writes_every_type_as_master_files_have_it) {
  struct Case {
    Type type;
    const char* value;
  };
  const Case cases[] = {{Type::a, "192.0.2.1"},
                        {Type::aaaa, "2001:db8::1"},
                        {Type::mx, "10 mail.example.com."},
                        {Type::txt, "\\\"v=spf1 -all\\\""},
                        {Type::cname, "a.example.org."},
                        {Type::srv, "0 1 465 mail.example.com."},
                        {Type::caa, "0 issue \\\"le.org\\\""},
                        {Type::tlsa, "3 1 1 abcd"}};
  zone();
  for (const auto& c : cases) {
    SCOPED_TRACE(c.value);
    const auto target = "/x/" + dns::type_text(c.type);
    const auto value = '"' + std::string(c.value) + '"';
    has(target, "600", value);
    auto got = read("x.example.com", c.type);
    ASSERT_TRUE(got) << got.error().what;
    ASSERT_EQ(got->data.size(), 1U);
    EXPECT_EQ(got->ttl, std::chrono::seconds(600));
    nothing_at(target);
    puts(target, R"({"rrset_ttl":600,"rrset_values":[)" + value + "]}");
    EXPECT_TRUE(write({*got}));
  }
}

TEST_F(GandiTest, puts_the_whole_set_removes_it_and_leaves_what_is_right) {
  zone();
  has("/@/TXT", "300", R"("\"a\"")");
  puts("/@/TXT", R"({"rrset_ttl":300,"rrset_values":["\"a\"","\"b\""]})");
  EXPECT_TRUE(write({set("example.com", Type::txt, {"a", "b"}, 60)}));  // the TTL is raised
  has("/@/TXT", "300", R"("\"b\"","\"a\"")");
  EXPECT_TRUE(write({set("example.com", Type::txt, {"a", "b"}, 300)}));
  has("/@/TXT", "300", R"("\"a\"")");
  http.on("DELETE", "/domains/example.com/records/@/TXT");
  http.answer(204);
  EXPECT_TRUE(write({set("example.com", Type::txt, {})}));
}

TEST_F(GandiTest, tells_a_wrong_token_and_at_which_set_it_stopped) {
  http.on("GET", "/domains/example.com");
  http.answer(401, R"({"message":"The server could not verify that you authorized to access"})");
  EXPECT_EQ(find_zone("example.com").error().code, Code::denied);
  zone();
  nothing_at("/x/A");
  nothing_at("/y/A");
  puts("/x/A", R"({"rrset_ttl":3600,"rrset_values":["192.0.2.1"]})");
  http.on("PUT",
          "/domains/example.com/records/y/A",
          R"({"rrset_ttl":3600,"rrset_values":["192.0.2.2"]})")
      .more = {{"Content-Type", "application/json"}};
  http.answer(
      400,
      R"({"status":"error","errors":[{"location":"body","name":"rrset_values","description":"odd"}]})");
  const auto written = write(
      {set("x.example.com", Type::a, {"192.0.2.1"}), set("y.example.com", Type::a, {"192.0.2.2"})});
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, Code::invalid);
  EXPECT_EQ(written.error().what,
            "y.example.com A: Gandi: 400 rrset_values: odd (1 sets before it are written)");
}

}  // namespace
}  // namespace tapal::dnsapi
