#include "services/upkeep/daily_examination.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "values/text/ascii.h"

namespace tapal::upkeep {
namespace {

using provision::Finding;
using provision::Severity;

// A text of several lines, moved in.
std::string indented(std::string_view text) {
  std::string lines;
  for (const auto line : text::split(text, '\n')) lines += fmt::format("    {}\n", line);
  return lines;
}

void log_changes(Log& log, const std::string& domain, const provision::Changes& changes) {
  for (const auto& finding : changes.worse)
    log.write(finding.severity == Severity::error ? Level::error : Level::warning,
              "the doctor found something worse",
              {{"domain", domain},
               {"check", finding.id},
               {"subject", finding.subject},
               {"seen", finding.seen}});
  for (const auto& [check, subject] : changes.better)
    log.write(Level::info,
              "the doctor found something mended",
              {{"domain", domain}, {"check", check}, {"subject", subject}});
}

}  // namespace

std::string letter(const std::string& domain, const std::vector<Finding>& worse) {
  std::string text =
      fmt::format("The daily look at {} found what was not there yesterday:\n\n", domain);
  for (const auto& finding : worse) {
    text += fmt::format("{} {}, {}: {}\n",
                        finding.severity == Severity::error ? "ERROR  " : "warning",
                        finding.id,
                        finding.subject,
                        finding.seen);
    text += fmt::format("  expected: {}\n", finding.expected);
    if (!finding.fix.empty()) text += "  to do:\n" + indented(finding.fix);
    text += "\n";
  }
  return text + fmt::format("All of it: tapal doctor {}\n", domain);
}

DailyExamination::DailyExamination(DailyExaminationWorld world)
    : world_(std::move(world)), timer_(world_.loop.make_timer()) {}

Task<void> DailyExamination::run() {
  auto next = world_.loop.now() + world_.first_after;
  while (!stopping_ && co_await timer_->wait_until(next)) {
    co_await look_once();
    next = world_.loop.now() + world_.interval;
  }
}

void DailyExamination::stop() {
  stopping_ = true;
  timer_->cancel();
}

Task<void> DailyExamination::look_once() {
  for (auto& domain : world_.domains()) {
    if (stopping_) co_return;
    co_await look_at(std::move(domain));
  }
}

Task<void> DailyExamination::look_at(std::string domain) {
  const auto findings = co_await world_.look(domain);
  if (!findings) {
    world_.log.write(Level::warning,
                     "the doctor could not look",
                     {{"domain", domain}, {"reason", findings.error().what}});
    co_return;
  }
  const auto before = provision::remembered_from_text(world_.load(domain));
  const auto changes = provision::compare(before, *findings);
  log_changes(world_.log, domain, changes);
  if (!changes.worse.empty()) {
    auto subject = fmt::format("{}: {} things got worse", domain, changes.worse.size());
    auto text = letter(domain, changes.worse);
    const auto told = co_await world_.tell(domain, std::move(subject), std::move(text));
    if (!told) {
      // Nothing is remembered then: it is told tomorrow.
      world_.log.write(Level::error,
                       "the owner could not be told what the doctor found",
                       {{"domain", domain}, {"reason", told.error().what}});
      co_return;
    }
  }
  if (auto saved = world_.save(domain, provision::to_text(provision::remember(*findings))); !saved)
    world_.log.write(Level::error,
                     "what the doctor found could not be kept",
                     {{"domain", domain}, {"reason", saved.error().what}});
}

}  // namespace tapal::upkeep
