#include "services/upkeep/rdap.h"

#include <gtest/gtest.h>

#include "ports/test_loop.h"
#include "services/upkeep/test_web.h"

namespace tapal::upkeep {
namespace {

http::Response page(std::string body) { return {200, {}, std::move(body)}; }
http::Response moved_to(const std::string& url) { return {302, {{"location", url}}, {}}; }

constexpr std::string_view domains = R"({"version":"1.0","services":[
  [["com","net"],["https://rdap.verisign.example/com/v1/"]],
  [["uk"],["http://old.example/","https://uk.example"]],
  [["co.uk"],["https://co-uk.example/"]],
  [["clear"],["http://clear.example/"]], 7, [], [["x"]], [[7],["https://seven.example/"]]]})";

TEST(Rdap, the_longest_entry_that_fits_names_the_server) {
  struct Case {
    std::string_view domain, server;
  };
  for (const auto& [domain, server] : {Case{"example.com", "https://rdap.verisign.example/com/v1/"},
                                       Case{"net", "https://rdap.verisign.example/com/v1/"},
                                       Case{"example.org.uk", "https://uk.example/"},
                                       Case{"example.co.uk", "https://co-uk.example/"},
                                       Case{"co.uk", "https://co-uk.example/"},
                                       Case{"example.telecom", ""},
                                       Case{"example.clear", ""},
                                       Case{"example.x", ""},
                                       Case{"", ""}})
    EXPECT_EQ(rdap_server(domains, domain), server) << domain;
}

TEST(Rdap, so_does_the_smallest_network) {
  constexpr std::string_view list = R"({"services":[[["20.0.0.0/8"],["https://arin.example/"]],
    [["20.30.0.0/16","2a00::/12"],["https://ripe.example/"]]]})";
  const auto at = [&](std::string_view text) {
    return rdap_server(list, IpAddress::from_text(text).value());
  };
  EXPECT_EQ(at("20.30.40.10"), "https://ripe.example/");
  EXPECT_EQ(at("20.31.40.10"), "https://arin.example/");
  EXPECT_EQ(at("2a0f:1::10"), "https://ripe.example/");
  EXPECT_EQ(at("9.9.9.9"), "");
}

TEST(Rdap, a_list_that_makes_no_sense_names_nobody) {
  for (const auto* list : {"", "[]", "{\"services\":7}", "{\"services\":[[[\"com\"]]]}", "<html>"})
    EXPECT_EQ(rdap_server(list, "example.com"), "") << list;
}

struct World {
  VirtualLoop loop;
  TableOfPages web;

  std::string ask(const std::string& domain) {
    RdapWorld world{web, loop, "https://lists.example/"};
    const auto answer = loop.wait(ask_rdap(world, domain)).value();
    return answer ? *answer : "error: " + answer.error().what;
  }
};

TEST(Rdap, an_answer_is_found_behind_redirects) {
  World world;
  world.web.pages["https://lists.example/dns.json"] = page(std::string(domains));
  world.web.pages["https://uk.example/domain/a.uk"] = moved_to("https://registry.example/a");
  world.web.pages["https://registry.example/a"] = page("{}");
  EXPECT_EQ(world.ask("a.uk"), "{}");
}

TEST(Rdap, it_is_not_sought_in_circles_nor_in_clear) {
  World world;
  world.web.pages["https://lists.example/dns.json"] = page(std::string(domains));
  world.web.pages["https://uk.example/domain/a.uk"] = moved_to("https://uk.example/domain/a.uk");
  world.web.pages["https://uk.example/domain/b.uk"] = moved_to("http://registry.example/b");
  world.web.pages["https://uk.example/domain/c.uk"] = {404, {}, {}};
  EXPECT_EQ(world.ask("a.uk"), "error: the registry sends from one place to the next");
  EXPECT_EQ(world.ask("b.uk"), "error: the registry answers 302");
  EXPECT_EQ(world.ask("c.uk"), "error: the registry does not know it");
  EXPECT_EQ(world.ask("d.uk"), "error: nobody there");
  EXPECT_EQ(world.ask("e.test"), "error: no registry answers for it by RDAP");
}

}  // namespace
}  // namespace tapal::upkeep
