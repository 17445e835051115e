#include "app/dnsapi/account.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "drivers/files/scratch_folder.h"

namespace tapal::app {
namespace {

namespace fs = std::filesystem;

TEST(DnsAccountOf, is_that_of_the_longest_zone_around_the_name) {
  const auto parsed = parse_settings(
      "[dns]\nprovider = \"cloudflare\"\n"
      "[dns.zones.\"Example.org\"]\nprovider = \"rfc2136\"\ncredentials_file = \"k\"\n"
      "[dns.zones.\"sub.example.org\"]\nprovider = \"powerdns\"\nurl = \"http://127.0.0.1:8081\"\n",
      "tapal.toml");
  ASSERT_TRUE(parsed.problems.empty()) << parsed.problems.front();
  const auto provider_of = [&parsed](std::string_view name) {
    return dns_account_of(parsed.settings.dns, name).provider;
  };
  EXPECT_EQ(provider_of("example.com"), "cloudflare");
  EXPECT_EQ(provider_of("notexample.org"), "cloudflare");
  EXPECT_EQ(provider_of("mail.example.org"), "rfc2136");
  EXPECT_EQ(provider_of("sub.example.org"), "powerdns");
  EXPECT_EQ(dns_account_of(parsed.settings.dns, "example.org").credentials_file, "k");
}

struct DnsCredentialsTest : testing::Test {
  files::ScratchFolder folder;
  const dnsapi::Provider& cloudflare = *dnsapi::find_dns_provider("cloudflare");

  std::string file(std::string_view text, fs::perms rights = fs::perms::owner_read) {
    const fs::path path = folder.path() / "key";
    fs::remove(path);
    std::ofstream(path) << text;
    fs::permissions(path, rights);
    return path.string();
  }
};

TEST_F(DnsCredentialsTest, come_from_a_file_that_only_its_owner_may_read) {
  EXPECT_EQ(dns_credentials(cloudflare, file("t0ken\n")).value(),
            (dnsapi::Credentials{{"token", "t0ken"}}));
  const auto open =
      dns_credentials(cloudflare, file("t0ken\n", fs::perms::owner_read | fs::perms::group_read));
  ASSERT_FALSE(open);
  EXPECT_EQ(open.error().code, Code::denied);
  EXPECT_FALSE(open.error().what.contains("t0ken"));
  EXPECT_EQ(dns_credentials(cloudflare, folder.path() / "none").error().code, Code::not_found);
  const auto odd = dns_credentials(cloudflare, file("two words"));
  EXPECT_TRUE(odd.error().what.starts_with(file("two words") + ": nothing in it is a credential"));
}

TEST_F(DnsCredentialsTest, name_a_key_file_of_the_providers_own_making) {
  const auto path = file("\n{\"type\": \"service_account\"}");
  EXPECT_EQ(dns_credentials(*dnsapi::find_dns_provider("google"), path).value().at("key_file"),
            path);
}

TEST_F(DnsCredentialsTest, come_from_the_environment_where_no_file_has_them) {
  setenv("CF_Token", "of the environment", 1);
  EXPECT_EQ(dns_credentials(cloudflare, "").value().at("token"), "of the environment");
  EXPECT_EQ(dns_credentials(cloudflare, file("t0ken")).value().at("token"), "t0ken");
  unsetenv("CF_Token");
  EXPECT_TRUE(dns_credentials(cloudflare, "").value().empty());
}

}  // namespace
}  // namespace tapal::app
