// Watches a Store from its door, and knows after each power cut what it must still have, what it
// may have, and what it may not. The laws of a store, for any store.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "ports/store.h"
#include "sim/chronicle.h"

namespace tapal::sim {

// What was asked of the store, over all of its lives.
class Witness {
 public:
  explicit Witness(Chronicle& chronicle) : chronicle_(chronicle) {}

  // A change was asked for. Gives its number, for answered().
  std::uint64_t asked(const StoreChange& change);
  void answered(std::uint64_t change, bool kept, Durability durability);
  // The store was opened again: judges what it has. With the same power as before, what was not
  // synced is still in the cache and not yet safe.
  enum class Since : std::uint8_t { power_cut, stop };
  void reopened(Store& store, Since since);

  std::size_t promised() const;  // messages that must be there

 private:
  // States are kept as fingerprints of their records.
  static constexpr std::uint64_t gone = 0;
  struct Claim {
    enum class Kind : std::uint8_t { add, update, remove };
    enum class Answer : std::uint8_t { none, kept, failed };
    std::uint64_t change = 0;
    Kind kind = Kind::add;
    std::uint64_t state = gone;
    Answer answer = Answer::none;
    std::vector<QueueId> instead = {};  // of a removal: what the same change adds
  };
  struct History {
    std::uint64_t durable = gone;
    std::vector<Claim> claims;  // since then, in the order asked
  };
  void claim(QueueId id, Claim claim);
  static void answer(std::vector<Claim>& claims, std::uint64_t change, bool kept);
  void settle(std::uint64_t change);
  static bool may_be(const History& history, std::uint64_t state);
  using Found = std::map<QueueId, std::uint64_t>;
  static std::uint64_t state_in(const Found& found, QueueId id);
  bool is_replaced(const History& history, const Found& found) const;
  void judge(QueueId id, const History& history, const Found& found);

  Chronicle& chronicle_;
  std::uint64_t changes_ = 0;
  std::map<QueueId, History> histories_;
  std::map<std::uint64_t, std::vector<QueueId>> unanswered_;  // by change: what it touches
};

// A store and its witness as one Store. References must outlive it.
class WitnessedStore final : public Store {
 public:
  struct Watchers {
    std::function<void(const queue::Message&)> added;
    std::function<void(QueueId)> removed;
    std::function<bool()> has_power;  // without it nothing that is answered counts
  };
  WitnessedStore(Store& store, Witness& witness, Watchers watchers)
      : store_(store), witness_(witness), watchers_(std::move(watchers)) {}

  QueueId new_id(WallTime now) override { return store_.new_id(now); }
  std::unique_ptr<BodyWriter> new_body() override { return store_.new_body(); }
  Task<Result<std::vector<BodyPtr>>> commit(Loop& loop,
                                            StoreChange change,
                                            Durability durability) override;
  Result<BodyPtr> load_body(QueueId id) override { return store_.load_body(id); }
  Result<queue::Message> load(QueueId id) override { return store_.load(id); }
  Result<void> scan(QueueId after, std::move_only_function<bool(queue::Message)> each) override {
    return store_.scan(after, std::move(each));
  }
  std::uint64_t free_bytes() const override { return store_.free_bytes(); }

 private:
  Store& store_;
  Witness& witness_;
  Watchers watchers_;
};

}  // namespace tapal::sim
