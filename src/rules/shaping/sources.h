// Chooses what each attempt leaves from. A message keeps its source, since greylisting servers know
// it by that, unless the source cannot be used, is left alone by the site for a time, or is new to
// the provider and has sent it enough for today. Belongs to one thread.
#pragma once

#include <expected>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rules/queue/gate.h"
#include "rules/shaping/source.h"
#include "rules/shaping/warm_up.h"

namespace tapal::shaping {

struct Usability {
  bool ipv4 = true;
  bool ipv6 = true;
  std::string why;  // what stands against a family, for people

  bool any() const { return ipv4 || ipv6; }
  bool operator==(const Usability&) const = default;
};

class Sources {
 public:
  static constexpr std::size_t suspensions_max = 10'000;  // of a source; the first to end goes

  explicit Sources(SourceOptions options);
  Sources(const Sources&) = delete;
  Sources& operator=(const Sources&) = delete;

  // `provider` as the table names it; empty: none that is known. Those without room at the site are
  // passed over. With Urgency::last there always is a source. Obstacles have no text; one without a
  // source's reason says that none has room.
  using HasRoom = std::function<bool(const Source& source)>;
  std::expected<const Source*, queue::Obstacle> choose(std::string_view provider,
                                                       const queue::Crossing& crossing,
                                                       const HasRoom& has_room) const;
  // Why choose() would refuse, in words. Nothing: it would not.
  std::optional<queue::Obstacle> look(std::string_view provider,
                                      const queue::Crossing& crossing) const;

  // False: it was known.
  bool mark(std::string_view source, Usability usability);
  struct Suspension {
    std::string site;
    WallTime until{};
    std::string why;  // what the site said
  };
  void suspend(std::string_view source, Suspension suspension, WallTime now);
  void forgive(std::string_view site);

  WarmUp& warm_up() { return warm_up_; }
  const WarmUp& warm_up() const { return warm_up_; }

  const SourceOptions& options() const { return options_; }
  // Who has to wait for a source: all mail, or a sender whose pool it is.
  queue::Obstacle::Scope scope() const {
    return pools_.size() > 1 ? queue::Obstacle::Scope::sender : queue::Obstacle::Scope::site;
  }
  const Usability& usability(std::string_view source) const;
  std::vector<Suspension> suspensions(std::string_view source, WallTime now) const;
  // The pool that mail of a sender leaves from.
  const Pool& pool_of(const queue::Sender& sender) const;

 private:
  struct State {
    const Source* source = nullptr;
    Usability usability;
    std::map<std::string, Suspension, std::less<>> suspended;  // by site
  };
  using States = std::vector<const State*>;
  States states_of(const queue::Sender& sender) const;
  // What keeps a source from being used; nothing: it can be.
  std::optional<queue::Obstacle> obstacle(const State& state,
                                          std::string_view provider,
                                          const queue::Crossing& crossing) const;
  // The first to end of those that keep each from being used.
  std::optional<queue::Obstacle> obstacle(const States& states,
                                          std::string_view provider,
                                          const queue::Crossing& crossing) const;
  std::string text_of(const queue::Obstacle& obstacle,
                      const State& state,
                      std::string_view provider,
                      const queue::Crossing& crossing) const;

  SourceOptions options_;
  Pool everything_;                                   // all sources, as the pool without a name
  std::map<std::string, State, std::less<>> states_;  // by name
  std::map<std::string, const Pool*, std::less<>> pools_;  // by name
  std::map<std::string, const Pool*, std::less<>> by_user_;
  std::map<std::string, const Pool*, std::less<>> by_domain_;
  WarmUp warm_up_;
};

}  // namespace tapal::shaping
