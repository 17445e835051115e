// The last warnings and errors of the log, for `tapal status`.
#pragma once

#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "ports/clock.h"
#include "ports/log.h"
#include "services/api/event_watch.h"

namespace tapal::api {

struct Trouble {
  WallTime when{};
  Level level = Level::warning;
  SeenEvent what;
};

// A log in front of another. Safe from any thread; both must outlive it.
class RecentTroubles final : public Log {
 public:
  static constexpr std::size_t troubles_max = 10;  // the oldest go

  RecentTroubles(Log& to, const Clock& clock) : to_(to), clock_(clock) {}

  std::vector<Trouble> all() const;  // oldest first

  void write(Level level, std::string_view event, LogFields fields) override;

 private:
  Log& to_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::deque<Trouble> troubles_;
};

}  // namespace tapal::api
