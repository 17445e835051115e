// Whom the greylist has seen: in memory, bounded, and written to records that outlive the server.
#pragma once

#include <chrono>
#include <cstddef>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/result.h"
#include "base/time.h"
#include "ports/kept_records.h"

namespace tapal::judge {

struct GreylistTimes {
  std::chrono::seconds delay{5 * 60};                  // a retry before this is put off again
  std::chrono::seconds window = std::chrono::days(1);  // a retry after this counts as the first try
  std::chrono::seconds remembered = std::chrono::days(36);  // since it was last let in
};

struct GreylistRecord {
  WallTime first_tried{};
  std::optional<WallTime> let_in;  // the last time

  bool operator==(const GreylistRecord&) const = default;
};

// Those who wait and those who were let in have half of the room each: a flood of strangers makes
// nobody forgotten who is known. About 150 bytes a record. Keys are digests. Safe from any thread.
class GreylistMemory {
 public:
  explicit GreylistMemory(GreylistTimes times = {}, std::size_t records_max = 200'000)
      : times_(times), records_max_(records_max) {}

  const GreylistTimes& times() const { return times_; }
  std::optional<GreylistRecord> load(std::string_view key) const;
  // What is to be written for it is added to `change`: the record, and which ones go, since their
  // time is over or the room is; those saved longest ago go first.
  void save(std::string_view key,
            const GreylistRecord& record,
            WallTime now,
            RecordsChange& change);
  // Once, before anything is saved: what was written before a restart.
  Result<void> take_in(KeptRecords& records);

 private:
  using Records = std::list<std::pair<std::string, GreylistRecord>>;  // saved last is first
  Records& side_of(const GreylistRecord& record) { return record.let_in ? known_ : waiting_; }
  void place(std::string_view key, const GreylistRecord& record);
  void forget(Records& side, WallTime older_than, RecordsChange& change);

  GreylistTimes times_;
  std::size_t records_max_;
  mutable std::mutex mutex_;
  Records waiting_;
  Records known_;
  std::unordered_map<std::string_view, Records::iterator> by_key_;
};

}  // namespace tapal::judge
