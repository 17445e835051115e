// The way from one address of ours through the aliases to everything behind it, breadth first.
// Bounded by alias_depth_max and targets_max, so that it ends whatever the aliases say.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "rules/alias/alias_index.h"
#include "rules/alias/resolution.h"

namespace tapal::alias {

inline constexpr std::size_t alias_depth_max = 10;  // aliases that lead to aliases

struct Step {
  enum class End : std::uint8_t {
    alias,      // goes on: the steps that have this one as their parent
    user,       // a mailbox
    remote,     // by SMTP
    handed,     // program, LMTP, Maildir folder, HTTP
    rejected,   // `text` is what to say
    unknown,    // nobody has the address
    elsewhere,  // our domain, role "send", and asked for itself
    again,      // was on the way before
    endless,    // in a circle, too deep, too many: `text` says how
  };
  mail::Address address;
  std::optional<std::size_t> parent;  // index of the step that led here; nothing at the first
  const RuleTarget* by = nullptr;     // the target of the parent's rule that led here
  std::size_t depth = 1;              // of aliases, this one included
  End end = End::unknown;
  AliasIndex::Found found = {};
  std::string text = {};
};

class Walk {
 public:
  enum class Roles : std::uint8_t {
    heeded,
    ignored,  // each domain has mailboxes: who stands behind an address, wherever its mail goes
  };
  // `index` must outlive it.
  Walk(const AliasIndex& index, Roles roles) : index_(index), roles_(roles) {}

  void from(const mail::Address& address);
  void from_rule(AliasIndex::Number rule);  // as if it had been found, for whatever local part

  const std::vector<Step>& steps() const { return steps_; }
  Resolution resolution() const;

 private:
  void run();
  void follow(std::size_t at, const RuleTarget& target);
  void arrive(Step& step) const;
  void arrive_at_ours(Step& step) const;
  void arrive_by_rule(Step& step) const;
  void add(Step step);
  bool leads_back(const Step& step) const;
  void count(Step& step);
  std::optional<AliasIndex::Number> rule_before(const Step& step) const;
  std::string path_to(const Step& step) const;
  Target target_of(const Step& step) const;

  const AliasIndex& index_;
  Roles roles_;
  std::vector<Step> steps_;
  std::unordered_set<std::string> seen_;
  std::size_t aliases_ = 0;
  std::size_t targets_ = 0;
};

}  // namespace tapal::alias
