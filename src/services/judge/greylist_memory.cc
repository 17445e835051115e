#include "services/judge/greylist_memory.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include <fmt/format.h>

#include "values/text/ascii.h"

namespace tapal::judge {
namespace {

constexpr std::size_t forgotten_at_once_max = 100;  // so that no message waits for a long clean-up

WallTime last_time(const GreylistRecord& record) {
  return record.let_in.value_or(record.first_tried);
}

std::string to_text(const GreylistRecord& record) {
  const auto let_in = record.let_in.value_or(WallTime{});
  return fmt::format(
      "{} {}", record.first_tried.time_since_epoch().count(), let_in.time_since_epoch().count());
}

// What cannot be read was tried long ago: it is the first to be forgotten.
GreylistRecord from_text(std::string_view text) {
  using std::chrono::milliseconds;
  const auto words = text::words(text);
  if (words.size() != 2) return {};
  const auto first_tried = text::to_number<std::int64_t>(words[0]);
  const auto let_in = text::to_number<std::int64_t>(words[1]);
  if (!first_tried || !let_in) return {};
  GreylistRecord record{WallTime(milliseconds(*first_tried)), {}};
  if (*let_in != 0) record.let_in = WallTime(milliseconds(*let_in));
  return record;
}

}  // namespace

std::optional<GreylistRecord> GreylistMemory::load(std::string_view key) const {
  const std::scoped_lock lock(mutex_);
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return {};
  return found->second->second;
}

void GreylistMemory::save(std::string_view key,
                          const GreylistRecord& record,
                          WallTime now,
                          RecordsChange& change) {
  const std::scoped_lock lock(mutex_);
  place(key, record);
  change.put.emplace_back(key, to_text(record));
  forget(waiting_, now - times_.window, change);
  forget(known_, now - times_.remembered, change);
}

Result<void> GreylistMemory::take_in(KeptRecords& records) {
  std::vector<std::pair<std::string, GreylistRecord>> all;
  TAPAL_CHECK(records.read_records(RecordKind::greylist, [&all](auto key, auto value) {
    all.emplace_back(key, from_text(value));
  }));
  std::ranges::sort(all, {}, [](const auto& one) { return last_time(one.second); });
  const std::scoped_lock lock(mutex_);
  for (const auto& [key, record] : all) place(key, record);
  return {};
}

void GreylistMemory::place(std::string_view key, const GreylistRecord& record) {
  auto& side = side_of(record);
  if (const auto found = by_key_.find(key); found != by_key_.end()) {
    const auto at = found->second;
    side.splice(side.begin(), side_of(at->second), at);
    at->second = record;
    return;
  }
  side.emplace_front(key, record);
  by_key_.emplace(side.front().first, side.begin());
}

void GreylistMemory::forget(Records& side, WallTime older_than, RecordsChange& change) {
  for (std::size_t count = 0; count < forgotten_at_once_max && !side.empty(); ++count) {
    auto& [key, record] = side.back();
    if (side.size() <= records_max_ / 2 && last_time(record) >= older_than) return;
    by_key_.erase(key);
    change.removed.push_back(std::move(key));
    side.pop_back();
  }
}

}  // namespace tapal::judge
