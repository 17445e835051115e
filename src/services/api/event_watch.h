// The log's events as they happen, for whoever waits to see what becomes of a message; costs
// nothing while nobody does.
#pragma once

#include <atomic>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ports/log.h"

namespace tapal::api {

struct SeenEvent {
  std::string event;
  std::vector<std::pair<std::string, std::string>> fields;

  std::string_view field(std::string_view name) const;  // empty when there is none
};

// A log in front of another. Safe from any thread; `to` must outlive it.
class EventWatch final : public Log {
 public:
  static constexpr std::size_t events_max = 10'000;  // a watcher keeps; the oldest go

  explicit EventWatch(Log& to) : to_(to) {}

  // One who looks, from its making to its end.
  class Watcher {
   public:
    explicit Watcher(EventWatch& watch);
    ~Watcher();
    Watcher(const Watcher&) = delete;
    Watcher& operator=(const Watcher&) = delete;

    // What happened to that message since the making, or the last call for it.
    std::vector<SeenEvent> take(std::string_view queue_id);

   private:
    friend class EventWatch;
    EventWatch& watch_;
    std::deque<SeenEvent> seen_;
  };

  void write(Level level, std::string_view event, LogFields fields) override;

 private:
  Log& to_;
  std::atomic<bool> is_watched_ = false;
  std::mutex mutex_;  // guards what follows, and what watchers have seen
  std::vector<Watcher*> watchers_;
};

}  // namespace tapal::api
