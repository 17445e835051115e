#include "rules/provision/journal_entry.h"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>

#include "protocols/mailauth/spf_record.h"
#include "values/dns/name.h"
#include "values/dns/zone_text.h"
#include "values/text/ascii.h"
#include "values/text/date.h"

namespace tapal::provision {
namespace {

constexpr std::array states{
    JournalEntry::State::begun, JournalEntry::State::done, JournalEntry::State::undone};

void append_records(std::string& text, std::string_view side, const dns::RecordSet& set) {
  for (const auto& data : set.data)
    text += fmt::format("{} {}\n", side, dns::to_zone_text({set.name, set.type, set.ttl, data}));
}

// "set NAME TYPE ZONE BEFORE-TTL AFTER-TTL", then its records.
Result<ChangedSet> parse_set_line(std::string_view rest) {
  const auto words = text::words(rest);
  if (words.size() != 5)
    return fail(Code::invalid, "a set has a name, a type, a zone and two TTLs");
  TAPAL_TRY(const auto name, dns::parse_name(words[0]));
  const auto type = dns::type_from_text(words[1]);
  const auto before = text::to_number<std::uint32_t>(words[3]);
  const auto after = text::to_number<std::uint32_t>(words[4]);
  if (!type || !before || !after) return fail(Code::invalid, "a set has a wrong type or TTL");
  ChangedSet set;
  TAPAL_TRY(set.zone, dns::parse_name(words[2]));
  set.before = {name, *type, std::chrono::seconds(*before), {}};
  set.after = {name, *type, std::chrono::seconds(*after), {}};
  return set;
}

Result<void> add_record(std::string_view line, dns::RecordSet& set) {
  TAPAL_TRY(auto records, dns::parse_zone_text(line));
  if (records.size() != 1 || records[0].name != set.name || records[0].type != set.type)
    return fail(Code::invalid, "a record is not of its set");
  set.data.push_back(std::move(records[0].data));
  return {};
}

Result<void> take_line(std::string_view line, JournalEntry& entry) {
  const auto space = line.find(' ');
  const auto word = line.substr(0, space);
  const auto rest = space == std::string_view::npos ? std::string_view() : line.substr(space + 1);
  if (word == "id") {
    entry.id = rest;
  } else if (word == "domain") {
    entry.domain = rest;
  } else if (word == "state") {
    const auto state = std::ranges::find(states, rest, state_text);
    if (state == states.end()) return fail(Code::invalid, "there is no such state");
    entry.state = *state;
  } else if (word == "set") {
    TAPAL_TRY(auto set, parse_set_line(rest));
    entry.sets.push_back(std::move(set));
  } else if ((word == "before" || word == "after") && !entry.sets.empty()) {
    auto& set = entry.sets.back();
    return add_record(rest, word == "before" ? set.before : set.after);
  } else {
    return fail(Code::invalid, fmt::format("\"{}\" means nothing here", text::printable(word, 40)));
  }
  return {};
}

std::vector<std::string> spf_address_terms(const dns::RecordSet& set) {
  std::vector<std::string> terms;
  for (const auto& data : set.data) {
    const auto* text = std::get_if<dns::Text>(&data);
    if (text == nullptr || !mailauth::SpfRecord::has_version(text->value)) continue;
    for (const auto word : text::words(text->value))
      if (word.starts_with("ip4:") || word.starts_with("ip6:")) terms.emplace_back(word);
  }
  return terms;
}

}  // namespace

std::string journal_id(WallTime now) {
  std::string id;
  for (const char c : text::rfc3339_date(now))
    if (c != '-' && c != ':') id += c;
  return id;
}

std::string_view state_text(JournalEntry::State state) {
  switch (state) {
    case JournalEntry::State::begun: return "begun";
    case JournalEntry::State::done: return "done";
    case JournalEntry::State::undone: return "undone";
  }
  return "begun";
}

std::string to_text(const JournalEntry& entry) {
  auto text = fmt::format(
      "# What tapal changed in DNS; tapal dns rollback {} takes it back.\n"
      "id {}\ndomain {}\nstate {}\n",
      entry.domain,
      entry.id,
      entry.domain,
      state_text(entry.state));
  for (const auto& [zone, before, after] : entry.sets) {
    text += fmt::format("set {}. {} {}. {} {}\n",
                        before.name,
                        dns::type_text(before.type),
                        zone,
                        before.ttl.count(),
                        after.ttl.count());
    append_records(text, "before", before);
    append_records(text, "after", after);
  }
  return text;
}

Result<JournalEntry> parse_journal_entry(std::string_view text) {
  JournalEntry entry;
  if (text.size() > journal_entry_bytes_max) return fail(Code::invalid, "it is too long");
  std::size_t number = 0;
  for (const auto line : text::split(text, '\n')) {
    ++number;
    if (line.empty() || line.starts_with('#')) continue;
    if (auto taken = take_line(line, entry); !taken)
      return fail(Code::invalid, fmt::format("line {}: {}", number, taken.error().what));
  }
  if (entry.id.empty() || entry.domain.empty())
    return fail(Code::invalid, "it says neither its id nor its domain");
  return entry;
}

std::vector<std::string> written_spf_terms(std::span<const JournalEntry> entries,
                                           std::string_view name) {
  std::vector<std::string> ours;
  for (const auto& entry : entries) {
    if (entry.state == JournalEntry::State::undone) continue;
    for (const auto& [zone, before, after] : entry.sets) {
      if (after.name != name || after.type != dns::Type::txt) continue;
      const auto old = spf_address_terms(before);
      for (auto& term : spf_address_terms(after))
        if (std::ranges::find(old, term) == old.end()) ours.push_back(std::move(term));
    }
  }
  return ours;
}

RecordSets written_values(std::span<const JournalEntry> entries) {
  RecordSets written;
  for (const auto& entry : entries) {
    if (entry.state == JournalEntry::State::undone) continue;
    for (const auto& [zone, before, after] : entry.sets) {
      const auto* known = written.find(after.name, after.type);
      auto set = known != nullptr ? *known : dns::RecordSet{after.name, after.type, after.ttl, {}};
      for (const auto& data : after.data)
        if (std::ranges::find(before.data, data) == before.data.end()) set.data.push_back(data);
      written.add(std::move(set));
    }
  }
  return written;
}

}  // namespace tapal::provision
