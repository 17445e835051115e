// What a refusal in words means: its category, and whether the address is lost. The rules are a
// TOML file that ships with the program (bounce_rules.toml beside this file tells its form); the
// user's own bounce-rules.toml extends it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "protocols/smtp/reply.h"
#include "rules/bounce/category.h"
#include "rules/bounce/classify.h"
#include "rules/queue/message.h"
#include "values/text/pattern_set.h"

namespace tapal::bounce {

// What is known of a refusal. A notice of another server may tell little.
struct Refusal {
  int code = 0;             // 0: not told
  std::string_view status;  // "5.1.1"; empty: not told
  std::string_view text;    // on one line, with or without code and status before it
  std::optional<Phase> phase;
};

struct Diagnosis {
  Category category = Category::other;
  bool is_hard = false;  // by the category, and the reply does not ask to come again
  std::string status;    // what was told, where that says something; else the nearest
  std::string rule;      // the name of the rule that decided; empty: none did
  bool operator==(const Diagnosis&) const = default;
};

class BounceRules {
 public:
  // What ships, with `toml` before it. The Error names each problem, "file:line: what is wrong", on
  // lines of their own.
  static Result<BounceRules> read(std::string_view toml, std::string_view file_name);

  Diagnosis diagnose(const Refusal& refusal) const;
  Diagnosis diagnose(Phase phase, const smtp::Reply& reply) const;
  // Of the last word on a queued recipient; nothing of it need be stored.
  Diagnosis diagnose(const queue::Outcome& outcome) const;

 private:
  friend class RulesReader;
  struct Rule {
    std::string name;
    Category category = Category::other;
    std::uint8_t stages = 0;  // a bit for each Phase; 0: all, and where it is not known
  };
  std::vector<Rule> rules_;  // in the order of patterns_
  text::PatternSet patterns_;
};

inline constexpr std::size_t rules_max = 1000;

// In the order of Phase.
inline constexpr std::array<std::string_view, 8> stage_words{
    "greeting", "hello", "start_tls", "auth", "mail", "recipient", "data", "end"};
std::optional<Phase> stage_named(std::string_view name);

}  // namespace tapal::bounce
