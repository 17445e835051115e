// Which recipients' mail is at the point where SMTP cannot know what became of it: its end is on
// its way, and no reply has come (RFC 1047). Kept over the end of the process, so that the next one
// waits before it sends a second copy.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/queue_id.h"

namespace tapal {

struct FinalDotMark {
  QueueId message;
  std::vector<std::uint32_t> recipients;  // indexes; of very many only the first are kept
  bool operator==(const FinalDotMark&) const = default;
};

class FinalDotMarks {
 public:
  virtual ~FinalDotMarks() = default;

  virtual std::size_t slots() const = 0;
  // Any thread; a slot has one user at a time. Costs no system call and does not fail.
  virtual void set(std::size_t slot,
                   QueueId message,
                   std::span<const std::uint32_t> recipients) = 0;
  virtual void clear(std::size_t slot) = 0;
  // What is set.
  virtual std::vector<FinalDotMark> all() const = 0;
};

}  // namespace tapal
