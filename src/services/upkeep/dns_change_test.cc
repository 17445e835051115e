#include "services/upkeep/dns_change.h"

#include <gtest/gtest.h>

#include "rules/provision/test_identity.h"
#include "services/upkeep/test_dns_world.h"
#include "values/text/ascii.h"

namespace tapal::upkeep {
namespace {

using provision::JournalEntry;
using provision::Plan;
using State = JournalEntry::State;

class MemoryJournal final : public ChangeJournal {
 public:
  Result<std::vector<JournalEntry>> entries() override {
    std::vector<JournalEntry> all;
    for (const auto& [id, text] : texts)
      all.push_back(provision::parse_journal_entry(text).value());
    return all;
  }
  Result<void> put(const JournalEntry& entry) override {
    if (fails) return fail(Code::full, "the disk is full");
    texts[entry.id] = provision::to_text(entry);
    return {};
  }
  std::map<std::string, std::string> texts;
  bool fails = false;
};

struct DnsChangeWorld : testing::Test {
  DnsWorld dns{"@ 300 TXT \"v=spf1 include:x.example -all\"\n@ 300 TXT other\n@ MX 10 mail\n"};
  ZoneAuthorities authorities{dns.names, dns};
  MemoryJournal journal;
  DnsChange change{{dns, authorities, journal, dns.loop}, {}};

  Plan plan() {
    AccountZones zones(dns);
    const auto wanted = provision::wanted_records(provision::full_identity()).value();
    auto lookups = provision::plan_lookups(wanted);
    const auto published = dns.loop.wait(zones.read(dns.loop, std::move(lookups))).value().value();
    provision::PlanOptions options;
    options.written = provision::written_values(journal.entries().value());
    return provision::make_plan("example.com", wanted, published, options).value();
  }
  Result<JournalEntry> apply() { return dns.loop.wait(change.apply(dns.loop, plan())).value(); }
  Result<JournalEntry> rollback() {
    return dns.loop.wait(change.rollback(dns.loop, "example.com")).value();
  }
  std::vector<LaggingServer> lagging(const JournalEntry& entry) {
    std::vector<dns::RecordSet> sets;
    for (const auto& set : entry.sets) sets.push_back(set.after);
    return dns.loop.wait(change.wait_until_shown(dns.loop, std::move(sets))).value().value();
  }
  std::string zone_text() const {
    auto lines = dns::to_zone_text(dns.first.records());
    auto each = text::split(lines, '\n');
    std::ranges::sort(each);
    return fmt::format("{}", fmt::join(each, "\n"));
  }
};

TEST_F(DnsChangeWorld, writes_what_was_planned_and_a_second_run_writes_nothing) {
  const auto entry = apply().value();
  EXPECT_EQ(entry.state, State::done);
  EXPECT_TRUE(lagging(entry).empty());
  EXPECT_FALSE(plan().writes());
  EXPECT_EQ(journal.entries()->front(), entry);
}

TEST_F(DnsChangeWorld, takes_back_exactly_what_was_changed) {
  const auto before = zone_text();
  ASSERT_TRUE(apply());
  EXPECT_NE(zone_text(), before);
  EXPECT_EQ(rollback()->state, State::undone);
  EXPECT_EQ(zone_text(), before);
  EXPECT_EQ(rollback().error().code, Code::not_found);
}

TEST_F(DnsChangeWorld, takes_back_nothing_where_somebody_else_has_been_since) {
  ASSERT_TRUE(apply());
  dns.first.set({"mail.example.com", dns::Type::a, {}, {*IpAddress::from_text("192.0.2.77")}});
  const auto before = zone_text();
  const auto refused = rollback();
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().what.contains("mail.example.com A was changed since"))
      << refused.error().what;
  EXPECT_EQ(zone_text(), before);
}

// The provider fails after each number of sets: going on and taking back both come out right.
TEST_F(DnsChangeWorld, goes_on_or_back_from_wherever_it_was_cut_off) {
  const auto zone_before = dns.first;
  const auto before = zone_text();
  const auto sets = apply()->sets.size();
  const auto whole = zone_text();
  for (std::size_t written = 0; written < sets; ++written) {
    for (const bool goes_on : {true, false}) {
      dns.first = zone_before;
      journal.texts.clear();
      dns.writes_left = written;
      ASSERT_FALSE(apply());
      EXPECT_EQ(journal.entries()->front().state, State::begun);
      dns.writes_left = SIZE_MAX;
      dns.loop.run_for(std::chrono::seconds(5));
      if (goes_on) {
        ASSERT_TRUE(dns.loop.wait(change.settle(dns.loop)).value());
        ASSERT_TRUE(apply());
        EXPECT_EQ(zone_text(), whole);
      }
      while (rollback()) {
      }
      EXPECT_EQ(zone_text(), before) << written << (goes_on ? " gone on" : " gone back");
    }
  }
}

// Where single records are kept, new values come before old ones go.
TEST_F(DnsChangeWorld, takes_back_a_set_that_was_half_written) {
  const auto before = zone_text();
  dns.writes_left = 0;
  ASSERT_FALSE(apply());
  dns.writes_left = SIZE_MAX;
  auto half = dns.first.get("example.com", dns::Type::txt);
  half.data.push_back(dns::Text{"v=spf1 include:x.example ip4:192.0.2.1 ip6:2001:db8::1 -all"});
  dns.first.set(half);
  ASSERT_NE(zone_text(), before);
  ASSERT_TRUE(rollback());
  EXPECT_EQ(zone_text(), before);
}

TEST_F(DnsChangeWorld, writes_nothing_that_the_journal_cannot_note) {
  journal.fails = true;
  EXPECT_EQ(apply().error().code, Code::full);
  EXPECT_EQ(dns.written, 0U);
}

TEST_F(DnsChangeWorld, names_the_server_that_lags_behind) {
  dns.is_in_step = false;
  const auto entry = apply().value();
  std::vector<std::string> told;
  change.tell = [&told](std::string_view text) { told.emplace_back(text); };
  const auto begin = dns.loop.now();
  const auto behind = lagging(entry);
  ASSERT_EQ(behind.size(), 1U);
  EXPECT_EQ(behind[0].server, "ns2.example.com");
  EXPECT_EQ(behind[0].what, "mail.example.com A: it has nothing");
  EXPECT_FALSE(told.empty());
  EXPECT_LE(dns.loop.now() - begin, std::chrono::seconds(120));
  EXPECT_GE(dns.loop.now() - begin, std::chrono::seconds(100));
}

TEST_F(DnsChangeWorld, what_a_provider_cannot_keep_is_told_before_anything_is_written) {
  auto plan = this->plan();
  DnsAccountLimits limits;
  limits.unsupported = {dns::Type::tlsa};
  limits.text_bytes_max = 20;
  limits.ttl_least = std::chrono::seconds(7200);
  fit_to_account(plan, limits);
  for (const auto& one : plan.changes) {
    if (one.wanted.set.type == dns::Type::tlsa) {
      EXPECT_EQ(one.why, "the DNS provider has no TLSA records");
    }
    if (one.wanted.purpose == provision::Purpose::dmarc) {
      EXPECT_EQ(one.action, provision::Action::conflict);
    }
    if (one.writes()) {
      EXPECT_EQ(one.after.ttl, limits.ttl_least);
    }
  }
  EXPECT_FALSE(plan.blocking().empty());
}

TEST_F(DnsChangeWorld, consent_of_a_domain_that_is_not_ours_is_left_to_it) {
  auto identity = provision::full_identity();
  identity.report_address = "dmarc@reports.example";
  auto wanted = provision::wanted_records(identity).value();
  AccountZones zones(dns);
  const auto left = dns.loop.wait(take_out_foreign(dns.loop, zones, wanted)).value().value();
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(left[0].purpose, provision::Purpose::report_consent);
  EXPECT_EQ(provision::find_wanted(wanted, provision::Purpose::report_consent), nullptr);
}

}  // namespace
}  // namespace tapal::upkeep
