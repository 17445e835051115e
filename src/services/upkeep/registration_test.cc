#include "services/upkeep/registration.h"

#include <gtest/gtest.h>

#include "ports/test_loop.h"
#include "services/upkeep/test_web.h"
#include "values/text/date.h"

namespace tapal::upkeep {
namespace {

constexpr std::string_view answer = R"({"objectClassName":"domain","events":[
  {"eventAction":"registration","eventDate":"2020-01-02T03:04:05Z"},
  {"eventAction":"last changed","eventDate":"2021-01-02T03:04:05Z"},
  {"eventAction":"expiration","eventDate":"2027-01-02T03:04:05+00:00"},
  {"eventAction":"transfer"}, 7, {"eventAction":"registration","eventDate":"soon"}]})";

TEST(Registration, is_when_the_registry_says_it_was) {
  VirtualLoop loop;
  TableOfPages web;
  web.pages["https://data.iana.org/rdap/dns.json"] = {
      200, {}, R"({"services":[[["example"],["https://registry.example/"]]]})"};
  web.pages["https://registry.example/domain/123.example"] = {200, {}, std::string(answer)};
  RdapWorld world{web, loop};
  const auto fact = loop.wait(ask_registration(world, "123.example")).value();
  EXPECT_EQ(fact.trouble, "");
  EXPECT_EQ(fact.registered, text::parse_rfc3339_date("2020-01-02T03:04:05Z").value());
  EXPECT_EQ(fact.expires, text::parse_rfc3339_date("2027-01-02T03:04:05Z").value());
}

TEST(Registration, of_an_answer_that_makes_no_sense_is_not_known) {
  for (const auto* text : {"", "[]", "{\"events\":{}}", "{\"events\":[", "<html>"})
    EXPECT_NE(registration_from_json(text).trouble, "") << text;
}

}  // namespace
}  // namespace tapal::upkeep
