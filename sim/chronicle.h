// What happened in one world: a hash of all of it, the last events for people, and the first law
// that was broken.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/time.h"

namespace tapal::sim {

enum class Trace : std::uint8_t { last_events, everything };

class Chronicle {
 public:
  static constexpr std::size_t events_kept = 40;

  explicit Chronicle(Trace trace) : trace_(trace) {}

  template <class... Values>
  void tell(fmt::format_string<Values...> format, Values&&... values) {
    write(fmt::format(format, std::forward<Values>(values)...));
  }
  // Only the first one counts: what follows may be its consequence.
  template <class... Values>
  void broken(std::string_view law, fmt::format_string<Values...> format, Values&&... values) {
    if (broken_) return;
    broken_ = Broken{std::string(law), fmt::format(format, std::forward<Values>(values)...)};
    write(fmt::format("LAW BROKEN: {}: {}", broken_->law, broken_->what));
  }
  void at(Instant now) { now_ = now; }

  struct Broken {
    std::string law;
    std::string what;
  };
  const std::optional<Broken>& broken() const { return broken_; }
  std::uint64_t hash() const { return hash_; }
  std::uint64_t events() const { return events_; }
  const std::deque<std::string>& last_events() const { return last_; }

 private:
  void write(std::string event);

  Trace trace_;
  Instant now_{};
  std::deque<std::string> last_;
  std::optional<Broken> broken_;
  std::uint64_t hash_ = 0xCBF29CE484222325U;
  std::uint64_t events_ = 0;
};

}  // namespace tapal::sim
