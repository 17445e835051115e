// Standing orders to hold: what matches a rule is kept back as long as the rule is there, what
// waits already and what comes later. A message's own state says nothing of it, so that the end of
// a rule has nothing to write for each message; with_held() shows a message as the rules have it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "rules/queue/filter.h"
#include "rules/queue/message.h"

namespace tapal::queue {

struct HoldRule {
  std::uint32_t number = 0;  // its name, from 1
  Filter filter;
  std::string note;               // for people: why
  std::optional<WallTime> until;  // nothing: until somebody ends it
  bool operator==(const HoldRule&) const = default;
};

inline constexpr std::size_t hold_rules_max = 100;

// A rule is about what a message is: not about ids, its age, or being held. Not about everything.
Result<void> check(const HoldRule& rule);

// The form in which a rule is kept and shown; "until" is in milliseconds since 1970.
std::string to_json(const HoldRule& rule);
Result<HoldRule> hold_rule_from_json(std::string_view json);

class HoldRules {
 public:
  bool empty() const { return rules_.empty(); }
  std::span<const HoldRule> all() const { return rules_; }
  std::uint32_t next_number() const;

  void put(HoldRule rule);  // its number is none of the others
  // Nothing when there is no such rule.
  std::optional<HoldRule> take(std::uint32_t number);
  std::optional<WallTime> next_end() const;

  // For each recipient the first rule that holds it; null where none does, or it would not wait.
  std::vector<const HoldRule*> holders(const Message& message, const FilterFacts& facts) const;
  // The message with `held` for `waiting` where a rule holds.
  Message with_held(Message message, const FilterFacts& facts) const;

 private:
  std::vector<HoldRule> rules_;  // by number
};

}  // namespace tapal::queue
