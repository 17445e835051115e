#include "rules/provision/dmarc_advance.h"

#include <gtest/gtest.h>

namespace tapal::provision {
namespace {

using mailauth::DmarcPolicy;
using std::chrono::days;

TEST(DmarcAdvance, goes_one_step_when_reports_allow) {
  struct Case {
    DmarcPolicy now;
    DmarcReports reports;
    std::optional<DmarcPolicy> to;
  };
  using enum DmarcPolicy;
  const std::vector<Case> cases{
      {none, {days(0), 0, 0}, {}},
      {none, {days(14), 49, 0}, {}},
      {none, {days(13), 50, 0}, {}},
      {none, {days(14), 50, 0}, quarantine},
      {none, {days(90), 1000, 10}, quarantine},
      {none, {days(90), 1000, 11}, {}},
      {quarantine, {days(29), 1000, 0}, {}},
      {quarantine, {days(30), 1000, 3}, {}},
      {quarantine, {days(30), 1000, 2}, reject},
      {reject, {days(90), 1000, 0}, {}},
  };
  for (const auto& one : cases) {
    const auto step = next_dmarc_step(one.now, one.reports);
    EXPECT_EQ(step.to, one.to) << step.why;
    EXPECT_FALSE(step.why.empty());
  }
}

}  // namespace
}  // namespace tapal::provision
