// One change of the spool as bytes in a log, so that a torn or foreign record is told from a whole
// one.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/queue_id.h"

namespace tapal::sim {

struct LogRecord {
  enum class Kind : char { snapshot = 'S', change = 'C' };  // a log begins with one snapshot
  struct Put {
    QueueId id;
    std::string state;                        // queue::to_json
    std::shared_ptr<const std::string> body;  // null: the state of a message that is there changes
  };
  Kind kind = Kind::change;
  std::uint64_t number = 0;  // counts on from record to record within a log
  std::vector<Put> puts;
  std::vector<QueueId> removed;
};

std::string encode(const LogRecord& record);

// The record at the beginning of `log`, which is shortened by it; nothing when there is no whole
// one.
enum class Checksum : std::uint8_t { required, ignored };
std::optional<LogRecord> decode(std::string_view& log, Checksum checksum = Checksum::required);

}  // namespace tapal::sim
