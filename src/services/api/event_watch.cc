#include "services/api/event_watch.h"

#include <algorithm>

namespace tapal::api {

std::string_view SeenEvent::field(std::string_view name) const {
  const auto found = std::ranges::find(
      fields, name, [](const auto& field) { return std::string_view(field.first); });
  return found == fields.end() ? std::string_view() : found->second;
}

EventWatch::Watcher::Watcher(EventWatch& watch) : watch_(watch) {
  const std::scoped_lock lock(watch_.mutex_);
  watch_.watchers_.push_back(this);
  watch_.is_watched_ = true;
}

EventWatch::Watcher::~Watcher() {
  const std::scoped_lock lock(watch_.mutex_);
  std::erase(watch_.watchers_, this);
  watch_.is_watched_ = !watch_.watchers_.empty();
}

std::vector<SeenEvent> EventWatch::Watcher::take(std::string_view queue_id) {
  const std::scoped_lock lock(watch_.mutex_);
  std::vector<SeenEvent> taken;
  std::erase_if(seen_, [&](SeenEvent& seen) {
    if (seen.field("queue_id") != queue_id) return false;
    taken.push_back(std::move(seen));
    return true;
  });
  return taken;
}

void EventWatch::write(Level level, std::string_view event, LogFields fields) {
  if (is_watched_) {
    SeenEvent seen{std::string(event), {}};
    for (const auto& [name, value] : fields) seen.fields.emplace_back(name, value);
    const std::scoped_lock lock(mutex_);
    for (auto* watcher : watchers_) {
      if (watcher->seen_.size() >= events_max) watcher->seen_.pop_front();
      watcher->seen_.push_back(seen);
    }
  }
  to_.write(level, event, std::move(fields));
}

}  // namespace tapal::api
