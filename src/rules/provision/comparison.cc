#include "rules/provision/comparison.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "values/text/ascii.h"

namespace tapal::provision {
namespace {

constexpr std::size_t entries_max = 10'000;

}  // namespace

Remembered remember(std::span<const Finding> findings) {
  Remembered kept;
  for (const auto& finding : findings) {
    const auto [place, is_new] = kept.try_emplace({finding.id, finding.subject}, finding.severity);
    if (!is_new) place->second = std::max(place->second, finding.severity);
  }
  return kept;
}

std::string to_text(const Remembered& remembered) {
  std::string text;
  for (const auto& [key, severity] : remembered)
    text +=
        fmt::format("{} {} {}\n", severity_text(severity), key.first, text::printable(key.second));
  return text;
}

Remembered remembered_from_text(std::string_view text) {
  Remembered kept;
  for (const auto line : text::split(text, '\n')) {
    const auto first = line.find(' ');
    const auto second = first == line.npos ? line.npos : line.find(' ', first + 1);
    if (second == line.npos || kept.size() == entries_max) continue;
    for (const auto severity : {Severity::ok, Severity::info, Severity::warning, Severity::error})
      if (line.substr(0, first) == severity_text(severity))
        kept[{std::string(line.substr(first + 1, second - first - 1)),
              std::string(line.substr(second + 1))}] = severity;
  }
  return kept;
}

Changes compare(const Remembered& before, std::span<const Finding> today) {
  Changes changes;
  const auto now = remember(today);
  std::set<std::string, std::less<>> checked;
  for (const auto& finding : today) {
    checked.insert(finding.id);
    const auto old = before.find({finding.id, text::printable(finding.subject)});
    const auto was = old == before.end() ? Severity::ok : old->second;
    if (finding.severity >= Severity::warning && finding.severity > was)
      changes.worse.push_back(finding);
  }
  for (const auto& [key, severity] : before) {
    if (severity < Severity::warning || !checked.contains(key.first)) continue;
    const auto is_same = [&](const auto& one) {
      return one.first.first == key.first && text::printable(one.first.second) == key.second;
    };
    const auto still = std::ranges::find_if(now, is_same);
    if (still == now.end() || still->second < severity) changes.better.push_back(key);
  }
  return changes;
}

}  // namespace tapal::provision
