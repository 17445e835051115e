#include "services/delivery/options.h"

#include <gtest/gtest.h>

#include "rules/shaping/sources.h"

namespace tapal::delivery {
namespace {

IpAddress ip(std::string_view text) { return IpAddress::from_text(text).value(); }

TEST(SourcesOf, are_the_usual_one_where_none_are_set) {
  Options options;
  options.source_ipv6 = ip("2600::1");
  options.ehlo_name = "out.own.example";
  const auto all = sources_of(options);
  ASSERT_EQ(all.sources.size(), 1U);
  EXPECT_EQ(all.sources[0],
            (shaping::Source{
                .ipv6 = ip("2600::1"), .ehlo_name = "out.own.example", .system_chooses = true}));
  EXPECT_TRUE(all.pools.empty());
}

TEST(SourcesOf, keep_forwarded_mail_apart_where_it_has_an_address) {
  Options options;
  options.source_ipv4 = ip("9.9.9.1");
  options.source_ipv6 = ip("2600::1");
  options.forward_source_ipv4 = ip("9.9.9.2");
  for (const bool has_sources : {false, true}) {
    if (has_sources) options.sources.sources = {{.name = "a", .ipv4 = ip("9.9.9.3")}};
    const shaping::Sources sources(sources_of(options));
    const auto& forwarded = sources.pool_of({"", "own.example", true}).sources;
    ASSERT_EQ(forwarded, std::vector<std::string>{std::string(forward_source)});
    EXPECT_EQ(sources.pool_of({"ann", "own.example", false}).sources,
              std::vector<std::string>{has_sources ? "a" : ""});
    const auto& own = sources.options().sources.back();
    EXPECT_EQ(own.ipv4, ip("9.9.9.2"));
    EXPECT_EQ(own.ipv6, ip("2600::1"));
  }
}

TEST(SourcesOf, leave_forwarded_mail_to_the_pool_that_is_set_for_it) {
  Options options;
  options.forward_source_ipv4 = ip("9.9.9.2");
  options.sources = {.sources = {{.name = "a"}},
                     .pools = {{"p", {"a"}, {}, {}}},
                     .pool = "",
                     .forwarding_pool = "p"};
  EXPECT_EQ(sources_of(options), options.sources);
}

TEST(SourceAddresses, are_all_that_mail_may_leave_from) {
  Options options;
  EXPECT_TRUE(source_addresses(options).empty());
  options.source_ipv4 = ip("9.9.9.1");
  options.forward_source_ipv4 = ip("9.9.9.2");
  options.sources.sources = {{.name = "a", .ipv4 = ip("9.9.9.3"), .ipv6 = ip("2600::3")},
                             {.name = "b", .ipv4 = ip("9.9.9.3")}};
  EXPECT_EQ(source_addresses(options),
            (std::vector{ip("9.9.9.3"), ip("2600::3"), ip("9.9.9.2"), ip("9.9.9.1")}));
  options.family = AddressFamily::ipv6;
  EXPECT_EQ(source_addresses(options), std::vector{ip("2600::3")});
}

}  // namespace
}  // namespace tapal::delivery
