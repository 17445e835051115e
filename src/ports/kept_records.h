// Small facts that a service wants to know again after a restart, kept beside the spool's messages.
// Those that a message cannot do without are committed with it (ports/store.h).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/task.h"
#include "ports/loop.h"

namespace tapal {

// Whose records. The letters are on disk: none is used twice.
enum class RecordKind : char {
  greylist = 'g',
  hold_rule = 'h',
  pause = 'p',
  return_path = 'r',
  warm_up = 'w',
};

struct RecordsChange {
  std::vector<std::pair<std::string, std::string>> put;  // keys and values; in place of older ones
  std::vector<std::string> removed;                      // keys; none of `put`

  bool empty() const { return put.empty() && removed.empty(); }
};

struct KeptRecords {
  virtual ~KeptRecords() = default;
  // Nothing: there is no such record.
  virtual Result<std::optional<std::string>> read_record(RecordKind kind, std::string_view key) = 0;
  // All of a kind in the order of their keys. `each` may not call the records.
  virtual Result<void> read_records(
      RecordKind kind,
      std::move_only_function<void(std::string_view key, std::string_view value)> each) = 0;
  // All of it or nothing, on stable storage within about a second: a crash may lose the last ones.
  // Comes back to `loop`. Code::full: mail has the room that is left.
  virtual Task<Result<void>> change_records(Loop& loop, RecordKind kind, RecordsChange change) = 0;
};

}  // namespace tapal
