#include "rules/provision/dmarc_edit.h"

#include <algorithm>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "values/text/ascii.h"

namespace tapal::provision {
namespace {

using mailauth::DmarcRecord;

// A tag's value where it stands in the text, without white space around it.
struct Place {
  std::size_t at = 0;
  std::size_t bytes = 0;
};
std::optional<Place> find_tag(std::string_view text, std::string_view name) {
  for (const auto tag : text::split(text, ';')) {
    const auto equals = tag.find('=');
    if (equals == std::string_view::npos) continue;
    if (!text::equals_ignoring_case(text::trim(tag.substr(0, equals)), name)) continue;
    const auto value = text::trim(tag.substr(equals + 1));
    const auto* begin = value.empty() ? tag.data() + equals + 1 : value.data();
    return Place{static_cast<std::size_t>(begin - text.data()), value.size()};
  }
  return {};
}

// p= stands right behind v= in old records, and they may insist (RFC 7489 section 6.4).
std::string with_tag_behind_version(std::string_view text, std::string_view tag) {
  const auto end = text.find(';');
  if (end == std::string_view::npos) return fmt::format("{}; {}", text::trim(text), tag);
  return fmt::format("{}; {}{}", text.substr(0, end), tag, text.substr(end));
}

}  // namespace

std::string dmarc_with_policy(std::string_view text, mailauth::DmarcPolicy policy) {
  const auto value = mailauth::dmarc_policy_text(policy);
  const auto place = find_tag(text, "p");
  if (!place) return with_tag_behind_version(text, fmt::format("p={}", value));
  std::string changed(text);
  return changed.replace(place->at, place->bytes, value);
}

std::string with_reports(std::string_view text, std::span<const std::string> uris) {
  std::string added;
  const auto record = DmarcRecord::parse(text);
  for (const auto& uri : uris)
    if (!record || !std::ranges::count(record->aggregate_reports_to, uri))
      added += (added.empty() ? "" : ",") + uri;
  if (added.empty()) return std::string(text);
  std::string changed(text);
  const auto place = find_tag(text, "rua");
  if (place) return changed.insert(place->at + place->bytes, (place->bytes > 0 ? "," : "") + added);
  const auto end = text.find_last_not_of("; \t");
  return changed.substr(0, end + 1) + "; rua=" + added;
}

std::string merge_dmarc(std::span<const std::string_view> texts) {
  std::string_view strictest;
  std::optional<DmarcRecord> best;
  std::vector<std::string> reports;
  for (const auto text : texts) {
    const auto record = DmarcRecord::parse(text);
    if (!record || !record->applies) continue;
    reports.insert(
        reports.end(), record->aggregate_reports_to.begin(), record->aggregate_reports_to.end());
    if (best && best->policy >= record->policy) continue;
    best = *record;
    strictest = text;
  }
  if (!best) return {};
  std::vector<std::string> each;
  for (auto& uri : reports)
    if (std::ranges::find(each, uri) == each.end()) each.push_back(std::move(uri));
  return with_reports(strictest, each);
}

}  // namespace tapal::provision
