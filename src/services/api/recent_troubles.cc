#include "services/api/recent_troubles.h"

#include <utility>

namespace tapal::api {

std::vector<Trouble> RecentTroubles::all() const {
  const std::scoped_lock lock(mutex_);
  return {troubles_.begin(), troubles_.end()};
}

void RecentTroubles::write(Level level, std::string_view event, LogFields fields) {
  if (level >= Level::warning) {
    Trouble trouble{clock_.wall_now(), level, {std::string(event), {}}};
    for (const auto& [name, value] : fields) trouble.what.fields.emplace_back(name, value);
    const std::scoped_lock lock(mutex_);
    if (troubles_.size() >= troubles_max) troubles_.pop_front();
    troubles_.push_back(std::move(trouble));
  }
  to_.write(level, event, std::move(fields));
}

}  // namespace tapal::api
