#include "rules/shaping/site_name.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tapal::shaping {
namespace {

const ProviderTable& table() {
  static const ProviderTable shipped = read_providers({}, {}).value();
  return shipped;
}

TEST(SiteName, is_the_providers_for_all_domains_of_a_provider) {
  using Hosts = std::vector<std::string>;
  EXPECT_EQ(site_name(table(), "gmail.com", Hosts{"gmail-smtp-in.l.google.com"}), "gmail");
  EXPECT_EQ(site_name(table(), "corp.example", Hosts{"aspmx.l.google.com"}), "gmail");
}

TEST(SiteName, is_made_of_the_hosts_in_an_order_that_stays) {
  using Hosts = std::vector<std::string>;
  const Hosts one{"mx1.host.example", "mx2.host.example"};
  const Hosts other{"mx2.host.example", "mx1.host.example"};
  EXPECT_EQ(site_name(table(), "a.example", one), "mx1.host.example,mx2.host.example");
  EXPECT_EQ(site_name(table(), "b.example", other), site_name(table(), "a.example", one));
  EXPECT_EQ(site_name(table(), "c.example", {}), "c.example");
}

TEST(SiteName, of_forwarded_mail_is_another_with_the_same_provider) {
  EXPECT_EQ(forwarded_site("gmail"), "gmail (forwarded)");
  ASSERT_NE(provider_of_site(table(), "gmail"), nullptr);
  EXPECT_EQ(provider_of_site(table(), "gmail (forwarded)"), provider_of_site(table(), "gmail"));
  EXPECT_EQ(provider_of_site(table(), "mx.host.example"), nullptr);
}

}  // namespace
}  // namespace tapal::shaping
