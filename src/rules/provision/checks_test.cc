#include "rules/provision/checks.h"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "rules/provision/requirements.h"
#include "rules/provision/test_cases.h"
#include "values/text/ascii.h"

namespace tapal::provision {
namespace {

using enum Severity;

TEST(Checks, are_all_ok_where_everything_is_in_order) {
  TestWorld world;
  const auto findings = world.examine();
  for (const auto& finding : findings)
    EXPECT_EQ(finding.severity, ok) << finding.id << " " << finding.subject << ": " << finding.seen;
  for (const auto& check : all_checks())
    EXPECT_NE(std::ranges::find(findings, check.id, &Finding::id), findings.end())
        << check.id << " said nothing";
}

TEST(Checks, each_has_a_case_that_trips_it) {
  std::set<std::string_view> tripped;
  for (const auto& one : all_cases()) tripped.insert(one.check);
  for (const auto& check : all_checks()) EXPECT_TRUE(tripped.contains(check.id)) << check.id;
  EXPECT_EQ(tripped.size(), all_checks().size());
}

TEST(Checks, find_what_is_broken_and_tell_how_to_mend_it) {
  for (const auto& one : all_cases()) {
    SCOPED_TRACE(std::string(one.check) + ": " + std::string(one.name));
    TestWorld world;
    one.breaks(world);
    const auto findings = world.examine({std::string(one.check)});
    const auto found = std::ranges::find_if(findings, [&](const Finding& finding) {
      return finding.severity == one.severity && finding.seen.find(one.seen) != std::string::npos;
    });
    if (found == findings.end()) {
      std::string all;
      for (const auto& finding : findings)
        all += std::string(severity_text(finding.severity)) + " " + finding.subject + ": " +
               finding.seen + "\n";
      ADD_FAILURE() << "not found; instead:\n" << all;
      continue;
    }
    EXPECT_FALSE(found->expected.empty());
    if (one.severity == error) EXPECT_FALSE(found->fix.empty());
  }
}

TEST(Checks, of_a_silent_world_end_without_a_verdict_of_ok) {
  TestWorld world;
  world.ports.clear();
  world.pages.clear();
  world.registrations.clear();
  for (const auto line : text::split(world.zone, '\n'))
    world.failing.insert(std::string(line.substr(0, line.find(". "))));
  world.failing.insert("");
  for (const auto& finding : world.examine({"spf", "dkim", "dmarc", "ptr", "list", "mx"}))
    EXPECT_NE(finding.severity, error) << finding.id << ": " << finding.seen;
}

TEST(Checks, are_chosen_by_id_or_by_family) {
  const std::vector<std::string> only{"spf", "host.disk"};
  EXPECT_TRUE(is_chosen(*find_check("spf.egress"), only));
  EXPECT_TRUE(is_chosen(*find_check("host.disk"), only));
  EXPECT_FALSE(is_chosen(*find_check("host.name"), only));
  EXPECT_TRUE(is_chosen(*find_check("host.name"), {}));
}

std::string fix_of(std::string_view check, TestWorld& world) {
  const auto findings = world.examine({std::string(check)});
  const auto found = std::ranges::find(findings, error, &Finding::severity);
  return found == findings.end() ? std::string() : found->fix;
}

TEST(Checks, advise_the_spf_record_that_the_dns_plan_writes) {
  TestWorld none;
  none.drop("123.example. 60 TXT");
  EXPECT_TRUE(fix_of("spf.record", none).contains("\"v=spf1 ip4:192.0.2.1 ip6:2001:db8::1 ~all\""));
  TestWorld theirs;
  theirs.replace("123.example. 60 TXT", "123.example. 60 TXT \"v=spf1 mx -all\"");
  theirs.drop("123.example. 60 MX");
  EXPECT_TRUE(
      fix_of("spf.egress", theirs).contains("\"v=spf1 mx ip4:192.0.2.1 ip6:2001:db8::1 -all\""));
}

TEST(Requirements, follow_from_what_was_found) {
  TestWorld world;
  using State = Requirement::State;
  for (const auto& one : requirements(world.examine()))
    EXPECT_TRUE(one.state == State::kept || one.state == State::yours)
        << one.what << ": " << one.why;

  world.replace("123.example. 60 TXT", "123.example. 60 TXT \"v=spf1 -all\"");
  for (const auto& one : requirements(world.examine())) {
    if (one.what == "SPF or DKIM") EXPECT_EQ(one.state, State::kept);
    if (one.what == "SPF and DKIM") EXPECT_EQ(one.state, State::broken);
  }
  for (const auto& one : requirements({})) EXPECT_NE(one.state, State::broken) << one.what;
}

}  // namespace
}  // namespace tapal::provision
