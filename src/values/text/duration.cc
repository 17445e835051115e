#include "values/text/duration.h"

#include <array>
#include <cstdint>

#include <fmt/format.h>

#include "values/text/ascii.h"

namespace tapal::text {

namespace {

struct DurationUnit {
  std::string_view name;
  std::int64_t milliseconds;
};
constexpr std::array<DurationUnit, 6> duration_units = {{{"w", 604'800'000},
                                                         {"d", 86'400'000},
                                                         {"h", 3'600'000},
                                                         {"m", 60'000},
                                                         {"s", 1'000},
                                                         {"ms", 1}}};

std::unexpected<Error> wrong_duration(std::string_view text) {
  return fail(Code::invalid,
              fmt::format("\"{}\" is no duration; write it like 90s, 15m, 1h30m or 5d",
                          printable(text, 40)));
}

template <class Predicate>
std::string_view take_while(std::string_view& text, Predicate predicate) {
  std::size_t size = 0;
  while (size < text.size() && predicate(text[size])) ++size;
  const std::string_view taken = text.substr(0, size);
  text.remove_prefix(size);
  return taken;
}

}  // namespace

Result<std::chrono::milliseconds> parse_duration(std::string_view text) {
  if (text == "0") return std::chrono::milliseconds(0);
  if (text.empty()) return wrong_duration(text);
  std::int64_t total = 0;
  std::size_t smallest = 0;  // duration_units before this one are used up
  std::string_view rest = text;
  while (!rest.empty()) {
    const auto number = to_number<std::int64_t>(take_while(rest, is_digit));
    const std::string_view name = take_while(rest, is_alpha);
    std::size_t unit = smallest;
    while (unit < duration_units.size() && duration_units[unit].name != name) ++unit;
    if (!number || unit == duration_units.size()) return wrong_duration(text);
    if (*number > (duration_max.count() - total) / duration_units[unit].milliseconds) {
      return fail(Code::invalid, fmt::format("\"{}\" is longer than ten years", text));
    }
    total += *number * duration_units[unit].milliseconds;
    smallest = unit + 1;
  }
  return std::chrono::milliseconds(total);
}

std::string duration_text(std::chrono::milliseconds duration) {
  if (duration.count() == 0) return "0s";
  std::string text = duration.count() < 0 ? "-" : "";
  // Unsigned, so that the least value has an absolute value too.
  auto rest = static_cast<std::uint64_t>(duration.count());
  if (duration.count() < 0) rest = 0 - rest;
  for (const DurationUnit& unit : duration_units) {
    if (unit.name == "w") continue;
    const auto size = static_cast<std::uint64_t>(unit.milliseconds);
    if (rest >= size) text += fmt::format("{}{}", rest / size, unit.name);
    rest %= size;
  }
  return text;
}

}  // namespace tapal::text
