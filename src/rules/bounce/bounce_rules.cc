#include "rules/bounce/bounce_rules.h"

#include <algorithm>

#include <fmt/format.h>

#include "values/text/ascii.h"

namespace tapal::bounce {
namespace {

// Words that hold an address: a recipient named "spam@" says nothing about the reason.
std::string without_addresses(std::string_view text) {
  std::string rest;
  rest.reserve(text.size());
  for (const std::string_view word : text::split(text, ' ')) {
    if (word.contains('@')) continue;
    if (!rest.empty()) rest += ' ';
    rest += word;
  }
  return rest;
}

// "552 5.2.2 text", as the patterns have it; what the text begins with is not put before it again.
std::string subject_of(const Refusal& refusal) {
  std::string subject;
  const auto code = std::to_string(refusal.code);
  if (refusal.code != 0 && !refusal.text.starts_with(code)) subject += code + ' ';
  if (!refusal.status.empty() && !refusal.text.contains(refusal.status))
    subject += std::string(refusal.status) + ' ';
  return subject + without_addresses(refusal.text.substr(0, text::pattern_text_bytes_max));
}

bool tells_something(std::string_view status) {
  return !status.empty() && !status.ends_with(".0.0");
}

// The first status within the text: "550-5.7.1 ...", "(#5.1.1)".
std::string_view status_within(std::string_view text) {
  for (std::size_t at = 0; at + 5 <= text.size(); ++at) {
    if ((text[at] != '4' && text[at] != '5') || text[at + 1] != '.') continue;
    if (at > 0 && (text::is_alnum(text[at - 1]) || text[at - 1] == '.')) continue;
    auto word = text.substr(at, text.find_first_not_of("0123456789.", at) - at);
    while (word.ends_with('.')) word.remove_suffix(1);
    if (const auto status = smtp::leading_status(word); status && status->size() == word.size())
      return *status;
  }
  return {};
}

std::string status_of(const Refusal& refusal, Category category) {
  if (tells_something(refusal.status)) return std::string(refusal.status);
  if (const auto within = status_within(refusal.text); tells_something(within))
    return std::string(within);
  const bool is_temporary = refusal.code / 100 == 4 || refusal.status.starts_with('4');
  return fmt::format("{}.{}", is_temporary ? 4 : 5, row_of(category).detail);
}

}  // namespace

std::optional<Phase> stage_named(std::string_view name) {
  const auto* const found = std::ranges::find(stage_words, name);
  if (found == stage_words.end()) return {};
  return static_cast<Phase>(found - stage_words.begin());
}

Diagnosis BounceRules::diagnose(const Refusal& refusal) const {
  Diagnosis diagnosis;
  const auto here =
      refusal.phase ? static_cast<std::uint8_t>(1U << static_cast<unsigned>(*refusal.phase)) : 0;
  for (const std::size_t index : patterns_.matches(subject_of(refusal))) {
    const Rule& rule = rules_.at(index);
    if (rule.stages != 0 && (rule.stages & here) == 0) continue;
    diagnosis.category = rule.category;
    diagnosis.rule = rule.name;
    break;
  }
  const bool is_temporary = refusal.code / 100 == 4;
  diagnosis.is_hard = row_of(diagnosis.category).is_hard && !is_temporary;
  diagnosis.status = status_of(refusal, diagnosis.category);
  return diagnosis;
}

Diagnosis BounceRules::diagnose(Phase phase, const smtp::Reply& reply) const {
  std::string text;
  for (const std::string& line : reply.lines) text += (text.empty() ? "" : " ") + line;
  return diagnose({reply.code, reply.status, text, phase});
}

Diagnosis BounceRules::diagnose(const queue::Outcome& outcome) const {
  const std::string_view text = outcome.text;
  const bool is_reply = text.size() > 3 && text[3] == ' ';
  const int code = is_reply ? text::to_number<int>(text.substr(0, 3)).value_or(0) : 0;
  return diagnose({code, outcome.status, text, {}});
}

}  // namespace tapal::bounce
