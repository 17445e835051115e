// Who is left alone for a while, for what was said: by a site, an egress source, a sender. What
// lasts is kept over a restart, or a server that comes up again would knock at once where it was
// sent away. Belongs to one thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"

namespace tapal::shaping {

struct Pause {
  std::string site;
  std::string sender;                 // a domain; empty: all mail to the site
  std::optional<std::string> source;  // an egress source; nothing: all
  WallTime until{};
  std::string reason;
  bool operator==(const Pause&) const = default;
};

// The pauses that are worth keeping, and their records.
class Pauses {
 public:
  static constexpr std::chrono::minutes least{5};
  static constexpr std::size_t pauses_max = 10'000;  // more are not kept

  void add(const Pause& pause, WallTime now);
  void forget(std::string_view site);

  // What has changed since the last call. Those whose time is over are removed.
  struct Changes {
    std::vector<std::pair<std::string, std::string>> put;  // keys and JSON
    std::vector<std::string> removed;
  };
  Changes take_changes(WallTime now);
  void not_kept(const Changes& changes);  // they are changes still
  // From a record of an earlier run. Nothing: it is over or cannot be read, and will be removed.
  std::optional<Pause> take_in(std::string_view key, std::string_view json, WallTime now);

 private:
  std::map<std::string, Pause, std::less<>> pauses_;  // by site, source and sender
  std::set<std::string, std::less<>> changed_;        // keys
};

}  // namespace tapal::shaping
