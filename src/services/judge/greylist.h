// Greylisting (RFC 6647): mail from a sender never seen before is put off once. Real servers try
// again; most sources of spam do not.
#pragma once

#include <chrono>
#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/time.h"
#include "ports/clock.h"
#include "services/judge/judge.h"

namespace tapal::judge {

struct GreylistTimes {
  std::chrono::seconds delay{5 * 60};                  // a retry before this is put off again
  std::chrono::seconds window = std::chrono::days(1);  // a retry after this counts as the first try
  std::chrono::seconds remembered = std::chrono::days(36);  // since it was last let in
};

struct GreylistRecord {
  WallTime first_tried{};
  std::optional<WallTime> let_in;  // the last time

  bool operator==(const GreylistRecord&) const = default;
};

// Where the greylist remembers, and whom: keys are digests. Safe from any thread.
struct GreylistMemory {
  virtual ~GreylistMemory() = default;
  virtual std::optional<GreylistRecord> load(std::string_view key) = 0;
  virtual void save(std::string_view key, const GreylistRecord& record) = 0;
};

// In memory, bounded: what was touched longest ago is forgotten first. About 150 bytes a record.
class BoundedGreylistMemory final : public GreylistMemory {
 public:
  explicit BoundedGreylistMemory(std::size_t records_max = 200'000) : records_max_(records_max) {}
  std::optional<GreylistRecord> load(std::string_view key) override;
  void save(std::string_view key, const GreylistRecord& record) override;

  // All of it as lines of text, to be kept over a restart, and taken in again. What is broken or
  // too much is left out.
  std::string text() const;
  void take_in(std::string_view text);

 private:
  using Records = std::list<std::pair<std::string, GreylistRecord>>;  // touched last is first
  std::size_t records_max_;
  mutable std::mutex mutex_;
  Records records_;
  std::unordered_map<std::string_view, Records::iterator> by_key_;
};

// Whom a message makes known. Either the domain that SPF vouches for, whatever address it sends
// from, or the network of the peer (/24, /64) with the sender and each recipient.
std::vector<std::string> greylist_keys(const Mail& mail);

// How long the sender is to wait still; nothing: let it in. One key that has waited is enough, and
// vouches for all others. Keeps what it learns in `memory`.
std::optional<std::chrono::seconds> greylist_wait(const std::vector<std::string>& keys,
                                                  const GreylistTimes& times,
                                                  GreylistMemory& memory,
                                                  WallTime now);

class Greylist final : public Judge {
 public:
  Greylist(GreylistTimes times, GreylistMemory& memory, Clock& clock)
      : times_(times), memory_(memory), clock_(clock) {}
  std::string_view name() const override { return "greylist"; }
  Task<Result<Opinion>> look_at(const Mail& mail) override;

 private:
  GreylistTimes times_;
  GreylistMemory& memory_;
  Clock& clock_;
};

}  // namespace tapal::judge
