// How much an address that is new to a mailbox provider may send it: so many messages a day (UTC),
// more after each day that used them, fewer when the provider shows distrust. What it remembers
// goes to records and comes back from them; a lost one begins anew, never with more. Belongs to one
// thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"

namespace tapal::shaping {

struct WarmUpOptions {
  bool automatic = true;    // false: for sources alone that say since when they send
  std::size_t start = 200;  // messages on the first day, where `starts` has no other number
  std::map<std::string, std::size_t, std::less<>> starts;  // by provider
  double growth = 1.5;          // of the ceiling, after a day that used half of it or more
  std::size_t least = 10;       // no distrust makes it smaller, unless it began so
  std::size_t enough = 10'000;  // past it there is no ceiling any more
  std::chrono::days lasts{60};  // an older source is not new to anybody

  bool operator==(const WarmUpOptions&) const = default;
};

// Who sends to whom. An empty provider is everybody who is not in the table, together.
struct Relation {
  std::string_view source;
  std::string_view provider;
};

struct DayOfWarmUp {
  std::size_t ceiling = 0;
  std::size_t accepted = 0;   // today
  std::size_t under_way = 0;  // attempts that have not ended

  bool has_room() const { return accepted + under_way < ceiling; }
  bool operator==(const DayOfWarmUp&) const = default;
};

class WarmUp {
 public:
  static constexpr std::size_t providers_max = 1'000;  // of a source; others count as unknown

  explicit WarmUp(WarmUpOptions options = {});

  // A source with this public address: from when on it counts, and as a new one when its address
  // was another before. `since` is what the settings say.
  void see(std::string_view source,
           std::string_view address,
           std::optional<WallTime> since,
           WallTime now);

  // Nothing: the source is not new to the provider.
  std::optional<DayOfWarmUp> today(const Relation& relation, WallTime now) const;
  bool has_room(const Relation& relation, WallTime now) const;

  // An attempt begins; one of the others is to follow when it ends.
  void on_start(const Relation& relation, WallTime now);
  void on_accepted(const Relation& relation, WallTime now);
  void on_deferred_for_reputation(const Relation& relation, WallTime now);
  void on_not_accepted(const Relation& relation, WallTime now);  // and it says nothing of us

  struct Record {
    std::string source;
    std::string json;
    bool operator==(const Record&) const = default;
  };
  // What has changed since the last call.
  std::vector<Record> take_changes();
  void not_kept(const std::vector<Record>& changes);  // they are changes still
  // Before anything is seen. What cannot be read is as if it were lost.
  void take_in(std::string_view source, std::string_view json);

  // The providers that a source is new to, by name.
  std::vector<std::pair<std::string, DayOfWarmUp>> providers(std::string_view source,
                                                             WallTime now) const;

 private:
  using Day = std::chrono::sys_days;
  struct Count {
    Day day{};
    DayOfWarmUp of_day;
    bool has_shrunk = false;  // on that day
  };
  struct Newcomer {
    std::string address;
    WallTime since{};
    std::map<std::string, Count, std::less<>> counts;  // by provider
    bool has_changed = false;
  };

  const Newcomer* newcomer(std::string_view source, WallTime now) const;
  std::size_t start_at(std::string_view provider) const;
  Count first_count(std::string_view provider, Day day) const;
  Count carried_to(Day day, Count count) const;
  bool is_enough(const Count& count) const { return count.of_day.ceiling > options_.enough; }
  static std::string_view counted_as(const Newcomer& newcomer, std::string_view provider);
  Count* count(const Relation& relation, WallTime now);  // to be changed; null: not new
  Count* ended(const Relation& relation, WallTime now);
  static std::string to_json(const Newcomer& newcomer);

  WarmUpOptions options_;
  std::map<std::string, Newcomer, std::less<>> sources_;
};

}  // namespace tapal::shaping
