#include "values/text/nearest.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "values/text/ascii.h"

namespace tapal::text {

std::size_t letters_apart(std::string_view a, std::string_view b) {
  constexpr std::size_t length_max = 80;
  if (a.size() > length_max || b.size() > length_max) return length_max;
  std::array<std::size_t, length_max + 1> row{};
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, replaced}));
    }
  }
  return row[b.size()];
}

std::string_view nearest(std::string_view word, std::span<const std::string_view> known) {
  std::string_view found;
  std::size_t least = slip_letters_max(word) + 1;
  for (const std::string_view each : known) {
    const std::size_t apart = letters_apart(word, each);
    if (apart >= least) continue;
    least = apart;
    found = each;
  }
  return found;
}

std::string unknown_word(std::string_view kind,
                         std::string_view word,
                         std::span<const std::string_view> known) {
  const auto meant = nearest(word, known);
  const auto shown = printable(word, 120);
  if (!meant.empty()) return fmt::format("unknown {} {}; did you mean {}?", kind, shown, meant);
  return fmt::format("unknown {} {}; there are {}", kind, shown, fmt::join(known, ", "));
}

}  // namespace tapal::text
