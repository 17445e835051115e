#include "services/intake/return_paths.h"

#include "rules/forward/srs.h"

namespace tapal::intake {
namespace {

constexpr std::size_t forgotten_at_once_max = 100;  // so that no message waits for a long clean-up
// A path is good until the end of the last day of its life.
constexpr std::chrono::days kept_for =
    forward::srs_lifetime + forward::srs_clock_skew + std::chrono::days(1);

}  // namespace

Result<void> ReturnPaths::take_in() {
  const std::scoped_lock lock(mutex_);
  return records_.read_records(RecordKind::return_path, [this](auto key, auto) {
    if (const auto name = QueueId::from_text(key)) names_.push_back(*name);
  });
}

void ReturnPaths::keep(QueueId name,
                       const mail::Address& sender,
                       WallTime now,
                       RecordsChange& change) {
  change.put.emplace_back(name.text(), sender.text());
  const std::scoped_lock lock(mutex_);
  names_.push_back(name);
  forget(now, change);
}

// The names of messages grow with time, so they say how old they are.
void ReturnPaths::forget(WallTime now, RecordsChange& change) {
  const auto oldest = QueueId::make(now - kept_for, 0);
  for (std::size_t count = 0; count < forgotten_at_once_max; ++count) {
    if (names_.size() <= paths_max_ && names_.front() >= oldest) return;
    change.removed.push_back(names_.front().text());
    names_.pop_front();
  }
}

Result<std::optional<mail::Address>> ReturnPaths::find(QueueId name) const {
  TAPAL_TRY(const auto text, records_.read_record(RecordKind::return_path, name.text()));
  if (!text) return std::optional<mail::Address>();
  TAPAL_TRY(auto sender, mail::parse_address(*text));
  return std::optional(std::move(sender));
}

}  // namespace tapal::intake
