// The name of a message from acceptance to the end of its life: 64 bits that grow with time, shown
// as 13 characters of Crockford's base32, so that sorting the text sorts by age.
#pragma once

#include <atomic>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace tapal {

struct QueueId {
  std::uint64_t value = 0;

  auto operator<=>(const QueueId&) const = default;
  std::string text() const;
  static std::optional<QueueId> from_text(std::string_view text);  // case does not matter

  // 42 bits of milliseconds since 1970, then 22 bits of `low`.
  static QueueId make(WallTime now, std::uint32_t low);
  WallTime made() const;  // the time in it
};

// Gives ids out, each greater than all before it, also when the clock steps back. Any thread.
class QueueIds {
 public:
  QueueId next(WallTime now);
  // No id up to this one is given out from here on.
  void continue_after(QueueId newest);

 private:
  std::atomic<std::uint64_t> last_{0};
};

}  // namespace tapal
