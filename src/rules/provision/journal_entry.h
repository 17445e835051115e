// One change of DNS as the journal keeps it: what was, what was made of it, and how far it came.
// Text that a person can read, and that rollback restores exactly.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "rules/provision/plan.h"
#include "values/dns/record_set.h"

namespace tapal::provision {

inline constexpr std::size_t journal_entry_bytes_max = 4UL << 20;

struct ChangedSet {
  std::string zone;
  dns::RecordSet before;
  dns::RecordSet after;

  bool operator==(const ChangedSet&) const = default;
};

struct JournalEntry {
  enum class State : std::uint8_t {
    begun,   // was about to be written; nobody knows how much of it was
    done,    // all of it was
    undone,  // nothing of it stands any more
  };
  std::string id;  // "20261126T073000.123Z": when it was begun; entries sort by it
  std::string domain;
  State state = State::begun;
  std::vector<ChangedSet> sets;

  bool operator==(const JournalEntry&) const = default;
};

std::string journal_id(WallTime now);
std::string_view state_text(JournalEntry::State state);  // "begun"

std::string to_text(const JournalEntry& entry);
Result<JournalEntry> parse_journal_entry(std::string_view text);

// The values that these changes brought in, where they were not undone.
RecordSets written_values(std::span<const JournalEntry> entries);
// The addresses, as terms, that they brought into the SPF record of `name`.
std::vector<std::string> written_spf_terms(std::span<const JournalEntry> entries,
                                           std::string_view name);

}  // namespace tapal::provision
