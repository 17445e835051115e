#include "app/cli/phase_report.h"

#include <cstdio>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "drivers/files/files.h"
#include "drivers/system/clock.h"
#include "values/text/date.h"

namespace tapal::app {
namespace {

// Further lines stand below the first one's text.
std::string indented(std::string_view text) {
  std::string out;
  for (const char c : text) {
    out += c;
    if (c == '\n') out += "          ";
  }
  return out;
}

Mark mark_of(provision::Severity severity) {
  if (severity == provision::Severity::error) return Mark::trouble;
  return severity == provision::Severity::warning ? Mark::by_hand : Mark::fine;
}

}  // namespace

std::string_view mark_word(Mark mark) {
  switch (mark) {
    case Mark::fine: return "ok";
    case Mark::changed: return "made";
    case Mark::planned: return "plan";
    case Mark::by_hand: return "you";
    case Mark::trouble: break;
  }
  return "!";
}

PhaseReport::PhaseReport(Output output, std::filesystem::path log_file)
    : output_(output), log_file_(std::move(log_file)) {}

void PhaseReport::tells_of(const std::filesystem::path& real,
                           const std::filesystem::path& scratch) {
  real_ = real.string();
  scratch_ = scratch.string();
}

void PhaseReport::begin_phase(int number, std::string_view name) {
  phase_ = number;
  phase_name_ = name;
  if (output_ == Output::text) fmt::print("\n{:>2}  {}\n", number, name);
  std::fflush(stdout);
}

void PhaseReport::tell(Mark mark, std::string_view told) {
  std::string text(told);
  if (const auto at = scratch_.empty() ? text.npos : text.find(scratch_); at != text.npos)
    text.replace(at, scratch_.size(), real_);
  if (mark == Mark::by_hand || mark == Mark::trouble) left_to_do_ = true;
  const boost::json::object event{{"time", text::rfc3339_date(SystemClock().wall_now())},
                                  {"phase", phase_},
                                  {"name", phase_name_},
                                  {"mark", mark_word(mark)},
                                  {"text", text}};
  if (output_ == Output::json)
    print_json(event);
  else
    fmt::print("    {:<5} {}\n", mark_word(mark), indented(text));
  std::fflush(stdout);
  keep(boost::json::serialize(event));
}

void PhaseReport::tell(const provision::Finding& finding) {
  const auto mark = mark_of(finding.severity);
  const bool is_to_be_mended = mark != Mark::fine && !finding.fix.empty();
  tell(mark,
       fmt::format("{} ({}): {}{}",
                   finding.id,
                   finding.subject,
                   finding.seen,
                   is_to_be_mended ? "\n" + finding.fix : ""));
}

void PhaseReport::tell_secret(std::string_view what, std::string_view secret) {
  if (output_ == Output::json)
    print_json({{"phase", phase_}, {"name", phase_name_}, {"secret", what}, {"value", secret}});
  else
    fmt::print("    {:<5} {}: {}\n", mark_word(Mark::changed), what, secret);
  std::fflush(stdout);
}

void PhaseReport::keep(std::string_view line) const {
  if (log_file_.empty()) return;
  static_cast<void>(files::append_line(log_file_, line, 0600));
}

}  // namespace tapal::app
