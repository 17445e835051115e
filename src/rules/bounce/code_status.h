// Which enhanced status (RFC 3463) stands for a code: tables of the sources of this module.
#pragma once

#include <algorithm>
#include <iterator>
#include <string_view>

namespace tapal::bounce {

struct CodeStatus {
  int code;
  std::string_view status;
};

template <std::size_t Count>
std::string_view status_in(const CodeStatus (&table)[Count], int code, std::string_view otherwise) {
  const auto* const found = std::ranges::find(table, code, &CodeStatus::code);
  return found == std::end(table) ? otherwise : found->status;
}

}  // namespace tapal::bounce
