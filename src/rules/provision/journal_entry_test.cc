#include "rules/provision/journal_entry.h"

#include <gtest/gtest.h>

#include "values/dns/rdata_fields.h"

namespace tapal::provision {
namespace {

JournalEntry an_entry() {
  using std::chrono::seconds;
  JournalEntry entry;
  entry.id = "20261126T073000Z";
  entry.domain = "example.com";
  const dns::Data odd_text =
      dns::Text{"quote \" backslash \\ semicolon ; \x01 " + std::string(300, 'x')};
  entry.sets = {
      {"example.com",
       {"example.com", dns::Type::txt, seconds(300), {odd_text}},
       {"example.com", dns::Type::txt, seconds(3600), {odd_text, dns::Text{"v=spf1 -all"}}}},
      {"example.com",
       {"mail.example.com", dns::Type::aaaa, seconds(60), {}},
       {"mail.example.com", dns::Type::aaaa, seconds(60), {*IpAddress::from_text("2001:db8::1")}}},
      {"example.com",
       {"mail.example.com",
        dns::Type::caa,
        seconds(60),
        {*dns::to_data(dns::Authorization{128, "issue", ";"})}},
       {"mail.example.com", dns::Type::caa, seconds(60), {}}},
      {"example.com",
       {"_25._tcp.mail.example.com", dns::Type::tlsa, seconds(60), {}},
       {"_25._tcp.mail.example.com",
        dns::Type::tlsa,
        seconds(60),
        {dns::to_data(dns::Association{3, 1, 1, "abc"})}}},
  };
  return entry;
}

TEST(JournalEntry, comes_back_as_it_was_written) {
  const auto entry = an_entry();
  EXPECT_EQ(parse_journal_entry(to_text(entry)), entry) << to_text(entry);
}

TEST(JournalEntry, is_refused_with_its_line_when_it_is_broken) {
  const auto whole = to_text(an_entry());
  const std::vector<std::string> broken{
      "",
      "id 1\n",
      whole + "nonsense\n",
      whole + "state half\n",
      whole + "after other.example. 60 IN A 192.0.2.1\n",
      "after x. 60 IN A 192.0.2.1\n" + whole,
      whole + "set a. A example.com.\n",
  };
  for (const auto& text : broken) EXPECT_FALSE(parse_journal_entry(text)) << text;
}

TEST(JournalEntry, knows_the_addresses_that_came_into_a_record_of_others) {
  JournalEntry entry = an_entry();
  entry.state = JournalEntry::State::done;
  entry.sets = {{"example.com",
                 {"example.com", dns::Type::txt, {}, {dns::Text{"v=spf1 ip4:198.51.100.1 -all"}}},
                 {"example.com",
                  dns::Type::txt,
                  {},
                  {dns::Text{"v=spf1 ip4:198.51.100.1 ip4:192.0.2.9 ip6:2001:db8::9 -all"}}}}};
  EXPECT_EQ(written_spf_terms({&entry, 1}, "example.com"),
            (std::vector<std::string>{"ip4:192.0.2.9", "ip6:2001:db8::9"}));
  EXPECT_TRUE(written_spf_terms({&entry, 1}, "mail.example.com").empty());
  entry.state = JournalEntry::State::undone;
  EXPECT_TRUE(written_spf_terms({&entry, 1}, "example.com").empty());
}

TEST(JournalEntry, values_that_were_there_before_are_not_ours) {
  auto entry = an_entry();
  const auto written = written_values(std::vector{entry});
  ASSERT_NE(written.find("example.com", dns::Type::txt), nullptr);
  EXPECT_EQ(written.find("example.com", dns::Type::txt)->data,
            std::vector<dns::Data>{dns::Text{"v=spf1 -all"}});
  entry.state = JournalEntry::State::undone;
  EXPECT_EQ(written_values(std::vector{entry}).find("example.com", dns::Type::txt), nullptr);
}

TEST(JournalEntry, ids_sort_by_time) {
  const WallTime now{std::chrono::days(20'000)};
  EXPECT_LT(journal_id(now), journal_id(now + std::chrono::milliseconds(1)));
}

}  // namespace
}  // namespace tapal::provision
