// The senders that are too long to be read back from a rewritten return path (rules/forward/srs.h):
// kept in records that are committed with the message which leaves under the path, and forgotten
// when the path expires.
#pragma once

#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>

#include "base/queue_id.h"
#include "base/result.h"
#include "base/time.h"
#include "ports/kept_records.h"
#include "values/mail/address.h"

namespace tapal::intake {

// 8 bytes in memory for each, and some 100 on disk. Past the bound the oldest go first: whoever
// floods us takes away the bounces of old mail, of which most have come, and not that new mail
// passes SPF. Safe from any thread.
class ReturnPaths {
 public:
  // `records` must outlive it.
  explicit ReturnPaths(KeptRecords& records, std::size_t paths_max = 500'000)
      : records_(records), paths_max_(paths_max) {}

  // Once, before anything is kept: what was kept before a restart, so that it is forgotten in time.
  Result<void> take_in();
  // Adds to `change`, which is to be committed together with the message of this name, that its
  // sender is kept, and who is forgotten. A name is kept once.
  void keep(QueueId name, const mail::Address& sender, WallTime now, RecordsChange& change);
  // Nothing: it is not kept, or not any more. Error: the records cannot be read now.
  Result<std::optional<mail::Address>> find(QueueId name) const;

 private:
  void forget(WallTime now, RecordsChange& change);

  KeptRecords& records_;
  std::size_t paths_max_;
  std::mutex mutex_;
  std::deque<QueueId> names_;  // the oldest first
};

}  // namespace tapal::intake
