#include "protocols/mailauth/spf_lookup_count.h"

#include <map>

#include <gtest/gtest.h>

namespace tapal::mailauth {
namespace {

using Records = std::map<std::string, std::vector<std::string>>;

SpfLookupCount counted(std::string_view record, const Records& others = {}) {
  SpfLookupCount count("example.com", record);
  std::size_t asked = 0;
  while (const auto lookup = count.next_lookup()) {
    EXPECT_LE(++asked, SpfLookupCount::counted_max);
    dns::LookupReply reply;
    reply.status = dns::LookupReply::Status::no_such_name;
    if (const auto found = others.find(lookup->name); found != others.end()) {
      reply.status = dns::LookupReply::Status::found;
      for (const auto& text : found->second)
        reply.records.push_back({lookup->name, dns::Type::txt, {}, dns::Text{text}});
    }
    count.on_reply(reply);
  }
  return count;
}

TEST(SpfLookupCount, counts_terms_that_ask_and_what_they_include) {
  struct Case {
    std::string_view record;
    std::size_t total;
  };
  const Records others{{"one.example", {"v=spf1 ip4:192.0.2.0/24 -all", "something else"}},
                       {"two.example", {"v=spf1 include:one.example mx ~all"}},
                       {"r.example", {"v=spf1 a redirect=two.example"}},
                       {"d.example.com", {"v=spf1 a -all"}}};
  const std::vector<Case> cases{
      {"v=spf1 ip4:192.0.2.1 ip6:2001:db8::1 -all", 0},
      {"v=spf1 a mx ptr exists:%{i}.x.example -all", 4},
      {"v=spf1 include:one.example -all", 1},
      {"v=spf1 include:two.example -all", 3},
      {"v=spf1 redirect=r.example", 5},
      {"v=spf1 -all a mx redirect=r.example", 0},
      {"v=spf1 include:d.%{d} -all", 2},
      {"v=spf1 include:%{i}.example -all", 1},
      {"v=spf1 nonsense", 0},
  };
  for (const auto& one : cases) {
    const auto count = counted(one.record, others);
    EXPECT_EQ(count.total(), one.total) << one.record;
    EXPECT_TRUE(count.problems().empty()) << one.record;
  }
}

TEST(SpfLookupCount, tells_what_each_term_of_the_record_costs) {
  const auto count = counted("v=spf1 mx include:two.example -all",
                             {{"two.example", {"v=spf1 a mx a:x.example -all"}}});
  ASSERT_EQ(count.terms().size(), 2U);
  EXPECT_EQ(count.terms()[1].text, "include:two.example");
  EXPECT_EQ(count.terms()[1].terms, 4U);
}

TEST(SpfLookupCount, tells_which_included_records_are_missing_or_broken) {
  EXPECT_EQ(counted("v=spf1 include:none.example -all").problems().size(), 1U);
  EXPECT_EQ(
      counted("v=spf1 include:two.example -all", {{"two.example", {"v=spf1 -all", "v=spf1 ~all"}}})
          .problems()
          .size(),
      1U);
}

TEST(SpfLookupCount, comes_to_an_end_where_records_include_themselves) {
  const auto count =
      counted("v=spf1 include:loop.example -all",
              {{"loop.example", {"v=spf1 include:loop.example include:loop.example"}}});
  EXPECT_GE(count.total(), SpfLookupCount::counted_max);
}

}  // namespace
}  // namespace tapal::mailauth
