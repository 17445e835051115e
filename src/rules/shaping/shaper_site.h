// What the shaper knows of a site and of an account, for its own files.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "rules/shaping/shaper.h"

namespace tapal::shaping {

// No name has a line feed. The usual source has no name.
inline constexpr char site_key_separator = '\n';

inline bool is_ahead(const std::optional<WallTime>& until, WallTime now) {
  return until && *until > now;
}

struct Shaper::Account {
  std::optional<Window> messages;
  std::size_t attempts = 0;

  bool has_room(WallTime now) const { return !messages || messages->has_room(now, attempts); }
};

// What goes to a site: from one source, or from all.
struct Shaper::Load {
  std::optional<Window> messages;
  std::optional<Window> connections;
  std::size_t attempts_max = SIZE_MAX;
  std::size_t attempts = 0;

  explicit Load(const LoadLimits& limits)
      : attempts_max(limits.connections_max.value_or(SIZE_MAX)) {
    if (limits.messages) messages.emplace(*limits.messages);
    if (limits.connections) connections.emplace(*limits.connections);
  }
  void count(bool connected_anew, WallTime now) {
    if (messages) messages->count(now);
    if (connections && connected_anew) connections->count(now);
  }
  // The one that has no room, or null.
  const Window* full_window(WallTime now) const {
    for (const auto* window : {&messages, &connections})
      if (*window && !(*window)->has_room(now, attempts)) return &**window;
    return nullptr;
  }
  bool is_idle(WallTime now) const {
    return attempts == 0 && (!messages || messages->is_empty(now)) &&
           (!connections || connections->is_empty(now));
  }
};

struct Shaper::Site {
  static constexpr std::chrono::hours idle_after{1};

  const Provider* provider = nullptr;
  SiteLimits limits;
  Concurrency concurrency;
  Load load;
  WallTime last_used{};

  std::optional<WallTime> closed_until;  // to all mail
  std::string closed_because;
  bool down = false;                    // until something goes well: one attempt at a time
  std::size_t downs = 0;                // in a row
  std::optional<WallTime> slow_until;   // the ceiling does not grow before
  std::optional<WallTime> bound_until;  // nor past the bound that it has
  std::map<std::string, std::pair<WallTime, std::string>, std::less<>> closed_to;  // sender domains

  bool is_idle(WallTime now) const {
    return load.is_idle(now) && !down && last_used + idle_after < now &&
           !is_ahead(closed_until, now) && !is_ahead(slow_until, now) &&
           !is_ahead(bound_until, now) &&
           std::ranges::none_of(
               closed_to, [now](const auto& each) { return each.second.first > now; });
  }
};

}  // namespace tapal::shaping
