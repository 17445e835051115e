#include "rules/provision/hosters.h"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "values/text/ascii.h"

namespace tapal::provision {
namespace {

std::string_view recognised(const HosterFacts& facts) {
  const auto* hoster = recognised_hoster(facts);
  return hoster == nullptr ? "" : hoster->name;
}

TEST(Hosters, all_have_steps_and_signs_in_lower_case) {
  std::set<std::string_view> names;
  for (const auto& hoster : hosters()) {
    SCOPED_TRACE(hoster.name);
    EXPECT_TRUE(names.insert(hoster.name).second);
    EXPECT_FALSE(hoster.title.empty());
    EXPECT_TRUE(hoster.reverse_steps.contains("{host}"));
    EXPECT_FALSE(hoster.port_25_steps.empty());
    EXPECT_FALSE(hoster.organisations[0].empty());
    for (const auto& signs : {hoster.machine_vendors, hoster.organisations, hoster.host_suffixes})
      for (const auto sign : signs) EXPECT_EQ(text::to_lower(sign), sign);
    for (const auto suffix : hoster.host_suffixes)
      EXPECT_TRUE(suffix.empty() || suffix.starts_with('.')) << suffix;
  }
  EXPECT_TRUE(std::ranges::is_sorted(hosters(), {}, &Hoster::name));
  EXPECT_EQ(find_hoster("Hetzner")->title, "Hetzner");
  EXPECT_EQ(find_hoster("other"), &other_hoster());
  EXPECT_EQ(find_hoster("none"), nullptr);
}

struct SignCase {
  const char* name;
  HosterFacts facts;
  std::string_view hoster;
};

TEST(Hosters, are_recognised_by_each_kind_of_sign) {
  const SignCase cases[] = {
      {"nothing is known", {}, ""},
      {"vendor", {.machine_vendor = "Hetzner\n"}, "hetzner"},
      {"vendor, in part", {.machine_vendor = "Amazon EC2"}, "aws"},
      {"a vendor that tells nothing", {.machine_vendor = "QEMU"}, ""},
      {"Hyper-V anywhere", {.machine_vendor = "Microsoft Corporation"}, ""},
      {"metadata", {.answered = {"vultr"}}, "vultr"},
      {"organisation", {.organisations = {"CONTABO", "Contabo GmbH"}}, "contabo"},
      {"the second organisation", {.organisations = {"RIPE NCC", "OVH SAS"}}, "ovh"},
      {"reverse name", {.reverse_names = {"static.1.2.0.192.clients.your-server.de"}}, "hetzner"},
      {"reverse name in capitals", {.reverse_names = {"VPS-1.VPS.OVH.NET"}}, "ovh"},
      {"a name that only looks so", {.reverse_names = {"your-server.de.example.com"}}, ""},
  };
  for (const auto& c : cases) EXPECT_EQ(recognised(c.facts), c.hoster) << c.name;
}

TEST(Hosters, are_recognised_by_the_surest_sign) {
  HosterFacts facts{"DigitalOcean", {"vultr"}, {"Hetzner Online GmbH"}, {"x.contaboserver.net"}};
  EXPECT_EQ(recognised(facts), "digitalocean");
  facts.machine_vendor = "QEMU";
  EXPECT_EQ(recognised(facts), "vultr");
  facts.answered.clear();
  EXPECT_EQ(recognised(facts), "hetzner");
  facts.organisations.clear();
  EXPECT_EQ(recognised(facts), "contabo");
}

TEST(StepsFor, names_the_machine) {
  EXPECT_EQ(steps_for("{address}: enter {host} ({host}.)", "mail.example.com", "192.0.2.1"),
            "192.0.2.1: enter mail.example.com (mail.example.com.)");
  for (const auto& hoster : hosters())
    for (const auto steps : {hoster.reverse_steps, hoster.port_25_steps})
      EXPECT_FALSE(steps_for(steps, "mail.example.com", "192.0.2.1").contains('{')) << hoster.name;
}

}  // namespace
}  // namespace tapal::provision
