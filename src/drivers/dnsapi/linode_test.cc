#include <gtest/gtest.h>

#include "drivers/dnsapi/test_script.h"

namespace tapal::dnsapi {
namespace {

using dns::Type;

struct LinodeTest : AccountTest {
  LinodeTest() {
    http.url = "https://api.linode.com/v4";
    http.headers = {{"Authorization", "Bearer t0ken"}, {"Accept", "application/json"}};
    open("linode", {{"token", "t0ken"}});
  }
  void domains(const std::string& name, const std::string& found) {
    http.on("GET", "/domains").more = {{"X-Filter", R"({"domain":")" + name + "\"}"}};
    http.answer(200, R"({"data":[)" + found + R"(],"page":1,"pages":1})");
  }
  void zone() { domains("example.com", R"({"id":42,"domain":"example.com","type":"master"})"); }
  void lists(const std::string& records, int page = 1, int pages = 1) {
    http.on("GET", "/domains/42/records?page=" + std::to_string(page) + "&page_size=500");
    http.answer(200, R"({"data":[)" + records + R"(],"pages":)" + std::to_string(pages) + "}");
  }
  void sends(const std::string& method, const std::string& target, const std::string& body) {
    http.on(method, "/domains/42/records" + target, body).more = {
        {"Content-Type", "application/json"}};
    http.answer(200, R"({"id":9})");
  }
};

TEST_F(LinodeTest, finds_the_zone_that_it_is_the_master_of) {
  domains("mail.example.com", R"({"id":41,"domain":"mail.example.com","type":"slave"})");
  zone();
  EXPECT_EQ(find_zone("mail.example.com").value(), "example.com");
}

TEST_F(LinodeTest, reads_the_records_of_one_name_and_type_from_all_pages) {
  zone();
  lists(R"({"id":1,"type":"MX","name":"","target":"mail.example.com","priority":10,"ttl_sec":0},
           {"id":2,"type":"A","name":"","target":"192.0.2.1","ttl_sec":300})",
        1,
        2);
  lists(
      R"({"id":3,"type":"MX","name":"","target":"other.example.com","priority":20,"ttl_sec":300})",
      2,
      2);
  EXPECT_EQ(
      read("example.com", Type::mx).value(),
      set("example.com", Type::mx, {"10 mail.example.com.", "20 other.example.com."}, 86'400));
  lists(
      R"({"id":4,"type":"SRV","name":"_submissions._tcp","service":"_submissions","protocol":"_tcp","target":"mail.example.com","priority":0,"weight":1,"port":465,"ttl_sec":3600})");
  EXPECT_EQ(read("_submissions._tcp.example.com", Type::srv).value(),
            set("_submissions._tcp.example.com", Type::srv, {"0 1 465 mail.example.com."}));
  lists(R"({"id":5,"type":"CAA","name":"","tag":"issue","target":"le.org","ttl_sec":3600})");
  EXPECT_EQ(read("example.com", Type::caa).value(),
            set("example.com", Type::caa, {"0 issue \"le.org\""}));
}

TEST_F(LinodeTest, writes_every_type_it_has) {
  struct Case {
    Type type;
    const char* name;
    const char* content;
    const char* body;  // up to the TTL
  };
  const Case cases[] = {
      {Type::a, "x", "192.0.2.1", R"("name":"x","target":"192.0.2.1")"},
      {Type::mx, "x", "10 m.example.com.", R"("name":"x","target":"m.example.com","priority":10)"},
      {Type::txt, "x", "\"v=DKIM1; p=a+b\"", R"("name":"x","target":"v=DKIM1; p=a+b")"},
      {Type::cname, "x", "a.example.org.", R"("name":"x","target":"a.example.org")"},
      {Type::srv,
       "_submissions._tcp",
       "5 1 465 m.example.com.",
       R"("service":"submissions","protocol":"tcp","target":"m.example.com","priority":5,"weight":1,"port":465)"},
      {Type::caa, "x", "0 issue \"le.org\"", R"("name":"x","tag":"issue","target":"le.org")"},
  };
  zone();
  for (const auto& c : cases) {
    SCOPED_TRACE(c.content);
    lists("");
    sends(
        "POST",
        "",
        "{" + std::string(c.body) + R"(,"ttl_sec":3600,"type":")" + dns::type_text(c.type) + "\"}");
    const auto written = write({set(c.name + std::string(".example.com"), c.type, {c.content})});
    EXPECT_TRUE(written) << written.error().what;
  }
}

TEST_F(LinodeTest, writes_a_ttl_that_it_knows_so_that_a_second_write_changes_nothing) {
  zone();
  lists(R"({"id":1,"type":"TXT","name":"","target":"old","ttl_sec":300})");
  sends("PUT", "/1", R"({"name":"","target":"new","ttl_sec":3600})");
  EXPECT_TRUE(write({set("example.com", Type::txt, {"new"}, 1800)}));
  lists(R"({"id":1,"type":"TXT","name":"","target":"new","ttl_sec":3600})");
  EXPECT_TRUE(write({set("example.com", Type::txt, {"new"}, 1800)}));
  lists(R"({"id":1,"type":"TXT","name":"","target":"new","ttl_sec":3600})");
  http.on("DELETE", "/domains/42/records/1");
  http.answer(404, R"({"errors":[{"reason":"Not found"}]})");  // gone already
  EXPECT_TRUE(write({set("example.com", Type::txt, {})}));
}

TEST_F(LinodeTest, refuses_services_below_the_zone_and_flags) {
  zone();
  lists("");
  const auto service =
      write({set("_smtp._tcp.x.example.com", Type::srv, {"0 1 25 m.example.com."})});
  ASSERT_FALSE(service);
  EXPECT_EQ(service.error().code, Code::invalid);
  EXPECT_TRUE(service.error().what.contains("of a zone itself only")) << service.error().what;
  lists("");
  EXPECT_FALSE(write({set("example.com", Type::caa, {"128 issue \"le.org\""})}));
}

TEST_F(LinodeTest, tells_a_wrong_token_in_its_words) {
  http.on("GET", "/domains").more = {{"X-Filter", R"({"domain":"example.com"})"}};
  http.answer(401, R"({"errors":[{"reason":"Invalid Token"}]})");
  const auto found = find_zone("example.com");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Code::denied);
  EXPECT_TRUE(found.error().what.starts_with("Linode: 401 Invalid Token")) << found.error().what;
}

}  // namespace
}  // namespace tapal::dnsapi
