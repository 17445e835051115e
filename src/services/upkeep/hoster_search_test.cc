#include "services/upkeep/hoster_search.h"

#include <map>

#include <gtest/gtest.h>

#include "ports/test_fakes.h"
#include "ports/test_loop.h"
#include "services/upkeep/test_web.h"
#include "values/dns/name.h"

namespace tapal::upkeep {
namespace {

const auto address = IpAddress::from_text("20.30.40.10").value();

constexpr std::string_view network_of_hetzner = R"({"objectClassName":"ip network",
  "name":"CLOUD-NBG1","entities":[{"roles":["registrant"],"vcardArray":["vcard",[
  ["version",{},"text","4.0"],["fn",{},"text","Hetzner Online GmbH"]]]}, 7]})";

struct World {
  VirtualLoop loop;
  TableOfNames names;
  TableOfPages web;

  std::string hoster(std::string vendor = "QEMU") {
    HosterSearch search{names, {web, loop}, std::move(vendor), {address}};
    const auto* found = loop.wait(search_hoster(std::move(search))).value();
    return found == nullptr ? "none" : std::string(found->name);
  }
};

TEST(HosterSearch, the_maker_of_the_machine_tells_without_a_question) {
  World world;
  EXPECT_EQ(world.hoster("Hetzner\n"), "hetzner");
  EXPECT_TRUE(world.web.asked.empty());
  EXPECT_EQ(world.names.questions, 0U);
}

TEST(HosterSearch, a_service_that_only_its_machines_have_tells) {
  World world;
  world.web.pages["http://169.254.169.254/metadata/v1/id"] = {200, {}, "2756294"};
  EXPECT_EQ(world.hoster(), "digitalocean");
}

TEST(HosterSearch, a_service_that_answers_everything_tells_nothing) {
  World world;
  for (const auto& hoster : provision::hosters())
    world.web.pages[std::string(hoster.metadata_url)] = {200, {}, "welcome to our network"};
  EXPECT_EQ(world.hoster(), "none");
}

TEST(HosterSearch, no_service_is_asked_whose_name_would_have_to_be_looked_up) {
  World world;
  EXPECT_EQ(world.hoster(), "none");
  for (const auto& url : world.web.asked) EXPECT_FALSE(url.contains("tencentyun")) << url;
}

TEST(HosterSearch, the_name_that_its_address_has_at_first_tells) {
  World world;
  world.names.add(
      dns::reverse_name(address), dns::Type::ptr, dns::NameTarget{"vmi1.contaboserver.net"});
  EXPECT_EQ(world.hoster(), "contabo");
}

TEST(HosterSearch, the_registry_tells_who_has_the_address) {
  World world;
  world.web.pages["https://data.iana.org/rdap/ipv4.json"] = {
      200, {}, R"({"services":[[["20.0.0.0/8"],["https://rdap.ripe.example/"]]]})"};
  world.web.pages["https://rdap.ripe.example/ip/20.30.40.10"] = {
      200, {}, std::string(network_of_hetzner)};
  EXPECT_EQ(world.hoster(), "hetzner");
}

TEST(Organisations, are_found_in_cards_and_below_them) {
  EXPECT_EQ(organisations_from_json(network_of_hetzner),
            (std::vector<std::string>{"CLOUD-NBG1", "Hetzner Online GmbH"}));
  for (const auto* text :
       {"", "[]", "{\"entities\":7}", "{\"vcardArray\":[1,[[\"fn\"]]]}", "<html>"})
    EXPECT_TRUE(organisations_from_json(text).empty()) << text;
}

}  // namespace
}  // namespace tapal::upkeep
