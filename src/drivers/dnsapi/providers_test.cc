#include "drivers/dnsapi/providers.h"

#include <gtest/gtest.h>

#include "drivers/dnsapi/test_script.h"
#include "values/http/url.h"

namespace tapal::dnsapi {
namespace {

TEST(DnsProviders, are_in_order_and_complete) {
  std::string_view before;
  for (const auto& provider : dns_providers()) {
    SCOPED_TRACE(provider.name);
    EXPECT_LT(before, provider.name);
    before = provider.name;
    EXPECT_FALSE(provider.title.empty());
    EXPECT_FALSE(provider.scope.empty());
    EXPECT_FALSE(provider.fields.empty());
    EXPECT_NE(provider.open, nullptr);
    if (!provider.url.empty()) EXPECT_TRUE(http::parse_url(provider.url));
    for (const auto& field : provider.fields) EXPECT_FALSE(field.environment.empty());
    EXPECT_EQ(find_dns_provider(provider.name), &provider);
  }
  EXPECT_NE(find_dns_provider("Cloudflare"), nullptr);
}

struct MakeDnsAccount : AccountTest {
  std::string trouble(std::string_view provider, Credentials credentials, std::string url = {}) {
    const auto made = make_dns_account(provider, {std::move(credentials), std::move(url)}, world);
    if (made) return {};
    EXPECT_EQ(made.error().code, Code::invalid);
    return made.error().what;
  }
};

TEST_F(MakeDnsAccount, tells_what_is_missing_and_how_it_is_given) {
  EXPECT_EQ(trouble("cloudflare", {}),
            "Cloudflare needs \"token\" (an API token, not the global key): put it into the "
            "credentials file "
            "as token = ..., or into the environment as CLOUDFLARE_API_TOKEN");
  EXPECT_TRUE(
      trouble("nobody", {}).starts_with("no DNS provider \"nobody\" is known here; there are "));
  EXPECT_EQ(trouble("cloudflare", {{"token", "a\nb"}}),
            "the credential \"token\" of Cloudflare has a control character in it");
  EXPECT_TRUE(trouble("cloudflare", {{"token", "t"}}, "ftp://x").contains("is no URL"));
  EXPECT_EQ(trouble("cloudflare", {{"token", "t"}}), "");
  EXPECT_EQ(trouble("cloudflare", {{"token", "t"}}, "http://127.0.0.1:8080/"), "");
}

}  // namespace
}  // namespace tapal::dnsapi
