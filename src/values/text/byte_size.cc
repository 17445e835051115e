#include "values/text/byte_size.h"

#include <array>
#include <limits>

#include <fmt/format.h>

#include "values/text/ascii.h"

namespace tapal::text {

namespace {

struct SizeUnit {
  std::string_view name;
  std::uint64_t bytes;
};
// Largest first, as byte_size_text() looks.
constexpr std::array<SizeUnit, 9> size_units = {{{"TiB", 1ULL << 40U},
                                                 {"TB", 1'000'000'000'000},
                                                 {"GiB", 1ULL << 30U},
                                                 {"GB", 1'000'000'000},
                                                 {"MiB", 1ULL << 20U},
                                                 {"MB", 1'000'000},
                                                 {"KiB", 1ULL << 10U},
                                                 {"kB", 1'000},
                                                 {"B", 1}}};

}  // namespace

Result<std::uint64_t> parse_byte_size(std::string_view text) {
  const auto wrong = [&] {
    return fail(
        Code::invalid,
        fmt::format("\"{}\" is no size; write it like 50MB, 64KiB or 1000", printable(text, 40)));
  };
  std::size_t digits = 0;
  while (digits < text.size() && is_digit(text[digits])) ++digits;
  const auto number = to_number<std::uint64_t>(text.substr(0, digits));
  std::string_view name = text.substr(digits);
  if (name.starts_with(' ') && name.size() > 1) name.remove_prefix(1);
  if (name.empty()) name = "B";
  if (!number) return wrong();
  for (const SizeUnit& unit : size_units) {
    if (!equals_ignoring_case(unit.name, name)) continue;
    if (*number > std::numeric_limits<std::uint64_t>::max() / unit.bytes) return wrong();
    return *number * unit.bytes;
  }
  return wrong();
}

std::string byte_size_text(std::uint64_t bytes) {
  for (const SizeUnit& unit : size_units) {
    if (bytes != 0 && bytes % unit.bytes == 0) {
      return fmt::format("{}{}", bytes / unit.bytes, unit.name);
    }
  }
  return "0B";
}

}  // namespace tapal::text
