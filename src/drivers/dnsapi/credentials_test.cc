#include "drivers/dnsapi/credentials.h"

#include <gtest/gtest.h>

namespace tapal::dnsapi {
namespace {

Result<Credentials> read(std::string_view provider, std::string_view text) {
  return read_credentials(*find_dns_provider(provider), text);
}

TEST(ReadCredentials, takes_the_forms_that_people_have) {
  const std::string_view cases[] = {
      "abc=",
      "abc=\n",
      "token = \"abc=\"\n",
      "# mine\n[cloudflare]\ntoken = 'abc='  # until May\nother = 1\n",
      "export CF_Token=abc=\n",
      "CLOUDFLARE_API_TOKEN=abc=\r\n",
      "SAVED_CF_Token='abc='\n",
  };
  for (const auto& text : cases) {
    const auto credentials = read("cloudflare", text);
    ASSERT_TRUE(credentials) << text;
    EXPECT_EQ(*credentials, (Credentials{{"token", "abc="}})) << text;
  }
  EXPECT_EQ(read("rfc2136", "server = 192.0.2.1:53\nkey_name=k.\nsecret=c2VjcmV0\nalgorithm = ''")
                .value(),
            (Credentials{{"server", "192.0.2.1:53"},
                         {"key_name", "k."},
                         {"secret", "c2VjcmV0"},
                         {"algorithm", ""}}));
}

TEST(ReadCredentials, says_what_it_wants_and_shows_nothing) {
  EXPECT_EQ(read("rfc2136", "c2VjcmV0").error().what,
            "nothing in it is a credential of DNS UPDATE (RFC 2136): expected server = ..., "
            "key_name = ..., "
            "secret = ..., algorithm = ...");
  EXPECT_EQ(read("cloudflare", "two words").error().code, Code::invalid);
  EXPECT_EQ(read("cloudflare", "").error().code, Code::invalid);
  EXPECT_EQ(read("cloudflare", "\ntoken = \"s3cret").error().what, "line 2: a quote has no end");
}

}  // namespace
}  // namespace tapal::dnsapi
