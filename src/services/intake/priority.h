// How soon mail of our users leaves when not all of it can go at once. Pure.
#pragma once

#include <cstdint>
#include <string_view>

#include "rules/queue/message.h"

namespace tapal::intake {

struct PriorityInput {
  std::string_view header;  // of the message
  std::size_t recipients = 0;
  std::uint64_t bytes = 0;
  bool is_bulk_user = false;  // whose mail is bulk, whatever it says
};

// A field MT-Priority (RFC 6758) says it: below 0 is bulk, from 4 on interactive. Else mail of a
// list (List-Id, List-Unsubscribe, or Precedence: bulk, list or junk) is bulk, and what is small
// and goes to few is interactive.
queue::Priority priority_of(const PriorityInput& input);

}  // namespace tapal::intake
