#include "protocols/tlspolicy/mta_sts.h"

#include <gtest/gtest.h>

namespace tapal::tlspolicy {
namespace {

using std::chrono::seconds;

const MtaStsPolicy two_hosts{
    MtaStsMode::enforce, {"mail.example.com", "*.example.net"}, seconds(604'800)};

TEST(MtaSts, is_written_as_the_rfc_has_it) {
  EXPECT_EQ(mta_sts_text(two_hosts),
            "version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\nmx: *.example.net\r\n"
            "max_age: 604800\r\n");
  EXPECT_EQ(mta_sts_text({MtaStsMode::none, {}, seconds(86'400)}),
            "version: STSv1\r\nmode: none\r\nmax_age: 86400\r\n");
}

TEST(MtaSts, is_read_as_it_was_written) {
  for (const auto mode : {MtaStsMode::testing, MtaStsMode::enforce, MtaStsMode::none}) {
    auto policy = two_hosts;
    policy.mode = mode;
    EXPECT_EQ(parse_mta_sts(mta_sts_text(policy)).value(), policy);
  }
}

TEST(MtaSts, is_read_as_others_write_it) {
  struct Case {
    std::string_view name, text;
  };
  const Case cases[] = {
      {"lines that end with LF",
       "version: STSv1\nmode: enforce\nmx: mail.example.com\nmx: *.example.net\nmax_age: 604800"},
      {"no spaces, capitals in a name",
       "version:STSv1\r\nmode:enforce\r\nmx:Mail.Example.COM\r\nmx:*.example.net\r\nmax_age:"
       "604800\r\n"},
      {"unknown fields, doubled ones, another order",
       "max_age: 604800\r\nfuture: x: y\r\nmx: mail.example.com\r\nmode: enforce\r\nmode: none\r\n"
       "mx: *.example.net\r\nversion: STSv1\r\nmax_age: 1\r\n\r\n"},
  };
  for (const auto& [name, text] : cases) {
    SCOPED_TRACE(name);
    const auto policy = parse_mta_sts(text);
    ASSERT_TRUE(policy) << policy.error().what;
    EXPECT_EQ(*policy, two_hosts);
  }
  const auto old = parse_mta_sts("version: STSv1\nmode: none\nmax_age: 4000000000\n");
  EXPECT_EQ(old.value().max_age, mta_sts_age_max);
}

TEST(MtaSts, says_what_is_wrong_with_a_policy) {
  struct Case {
    std::string_view name, text, told;
  };
  const Case cases[] = {
      {"nothing", "", "version:"},
      {"a web page", "<html>\n<p>hello</p>", "\"<html>\" is no field"},
      {"another version", "version: STSv2\nmode: none\nmax_age: 1\n", "version:"},
      {"another mode", "version: STSv1\nmode: on\nmax_age: 1\n", "mode:"},
      {"no age", "version: STSv1\nmode: none\n", "max_age:"},
      {"an age in days", "version: STSv1\nmode: none\nmax_age: 7d\n", "max_age:"},
      {"no host", "version: STSv1\nmode: enforce\nmax_age: 1\n", "mx: the policy names no host"},
      {"a wildcard inside", "version: STSv1\nmx: a.*.example\nmode: none\nmax_age: 1\n", "mx: a.*"},
  };
  for (const auto& [name, text, told] : cases) {
    SCOPED_TRACE(name);
    const auto policy = parse_mta_sts(text);
    ASSERT_FALSE(policy);
    EXPECT_TRUE(policy.error().what.starts_with(told)) << policy.error().what;
  }
  EXPECT_FALSE(parse_mta_sts(std::string(mta_sts_bytes_max + 1, ' ')));
}

TEST(MtaSts, has_an_id_that_follows_what_it_says) {
  const auto id = mta_sts_id(two_hosts);
  EXPECT_EQ(mta_sts_id(two_hosts), id);
  EXPECT_EQ(id.size(), 20U);
  EXPECT_EQ(id.find_first_not_of("0123456789abcdef"), std::string::npos);
  EXPECT_EQ(mta_sts_record(two_hosts), "v=STSv1; id=" + id + ";");
  auto other = two_hosts;
  other.mode = MtaStsMode::testing;
  EXPECT_NE(mta_sts_id(other), id);
  other = two_hosts;
  other.mx.pop_back();
  EXPECT_NE(mta_sts_id(other), id);
  other = two_hosts;
  other.max_age += seconds(1);
  EXPECT_NE(mta_sts_id(other), id);
}

}  // namespace
}  // namespace tapal::tlspolicy
