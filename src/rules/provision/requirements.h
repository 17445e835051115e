// What Gmail, Yahoo and Outlook demand of who sends to them, beside what the checks found.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rules/provision/finding.h"

namespace tapal::provision {

// Bulk: 5000 messages a day or more to Gmail or Outlook; Yahoo knows no number. Who was one once
// stays one at Gmail, so it is wise to keep to all of it from the first message on.
enum class Audience : std::uint8_t { all_senders, bulk_senders };

struct Requirement {
  enum class State : std::uint8_t {
    kept,
    broken,
    unknown,  // its checks came to no verdict
    yours,    // nothing that a mail server could see to
  };
  std::string_view receiver;  // "Gmail"
  Audience audience = Audience::all_senders;
  std::string_view what;
  State state = State::unknown;
  std::string why;  // the findings that break it, or what is left to you
};

// In the order of a table: by receiver, what is asked of all first.
std::vector<Requirement> requirements(std::span<const Finding> findings);

}  // namespace tapal::provision
