#include "services/upkeep/registration.h"

#include <map>

#include <gtest/gtest.h>

#include "ports/test_loop.h"
#include "values/text/date.h"

namespace tapal::upkeep {
namespace {

class Web final : public HttpClient {
 public:
  Task<Result<http::Response>> send(Loop& loop, HttpRequest request) override {
    co_await switch_to(loop);
    asked.push_back(request.url);
    const auto found = pages.find(request.url);
    if (found == pages.end()) co_return fail(Code::try_later, "nobody there");
    co_return found->second;
  }
  std::map<std::string, http::Response> pages;
  std::vector<std::string> asked;
};

http::Response moved_to(const std::string& url) { return {302, {{"location", url}}, {}}; }

constexpr std::string_view answer = R"({"objectClassName":"domain","events":[
  {"eventAction":"registration","eventDate":"2020-01-02T03:04:05Z"},
  {"eventAction":"last changed","eventDate":"2021-01-02T03:04:05Z"},
  {"eventAction":"expiration","eventDate":"2027-01-02T03:04:05+00:00"},
  {"eventAction":"transfer"}, 7, {"eventAction":"registration","eventDate":"soon"}]})";

TEST(Registration, is_found_behind_redirects) {
  VirtualLoop loop;
  Web web;
  web.pages["https://rdap.example/domain/123.example"] = moved_to("https://registry.example/123");
  web.pages["https://registry.example/123"] = {200, {}, std::string(answer)};
  const auto fact =
      loop.wait(ask_registration(web, loop, "https://rdap.example/", "123.example")).value();
  EXPECT_EQ(fact.trouble, "");
  EXPECT_EQ(fact.registered, text::parse_rfc3339_date("2020-01-02T03:04:05Z").value());
  EXPECT_EQ(fact.expires, text::parse_rfc3339_date("2027-01-02T03:04:05Z").value());
}

TEST(Registration, is_not_sought_in_circles_nor_in_clear) {
  VirtualLoop loop;
  Web web;
  web.pages["https://rdap.example/domain/a.example"] =
      moved_to("https://rdap.example/domain/a.example");
  web.pages["https://rdap.example/domain/b.example"] = moved_to("http://registry.example/b");
  for (const auto* domain : {"a.example", "b.example", "c.example"}) {
    const auto fact =
        loop.wait(ask_registration(web, loop, "https://rdap.example/", domain)).value();
    EXPECT_NE(fact.trouble, "") << domain;
    EXPECT_FALSE(fact.registered);
  }
  EXPECT_EQ(web.asked.size(), 7U);
}

TEST(Registration, of_an_answer_that_makes_no_sense_is_not_known) {
  for (const auto* text : {"", "[]", "{\"events\":{}}", "{\"events\":[", "<html>"})
    EXPECT_NE(registration_from_json(text).trouble, "") << text;
}

}  // namespace
}  // namespace tapal::upkeep
