#include "protocols/sasl/mechanism.h"

#include <algorithm>
#include <array>

#include "values/text/ascii.h"
#include "values/text/utf8.h"

namespace tapal::sasl {
namespace {

struct Row {
  Mechanism mechanism;
  std::string_view name;
};

// Weakest first.
constexpr std::array rows = {
    Row{Mechanism::login, "LOGIN"},
    Row{Mechanism::plain, "PLAIN"},
    Row{Mechanism::scram_sha_256, "SCRAM-SHA-256"},
    Row{Mechanism::scram_sha_256_plus, "SCRAM-SHA-256-PLUS"},
};

// U+0080 to U+009F are C2 80 to C2 9F in UTF-8.
bool has_control(std::string_view text) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte < 0x20 || byte == 0x7F) return true;
    if (byte == 0xC2 && at + 1 < text.size() && static_cast<unsigned char>(text[at + 1]) < 0xA0)
      return true;
  }
  return false;
}

}  // namespace

std::string_view name_of(Mechanism mechanism) {
  const auto* row = std::find_if(
      rows.begin(), rows.end(), [&](const Row& each) { return each.mechanism == mechanism; });
  return row == rows.end() ? std::string_view() : row->name;
}

std::optional<Mechanism> mechanism_from_name(std::string_view name) {
  for (const Row& row : rows)
    if (text::equals_ignoring_case(row.name, name)) return row.mechanism;
  return {};
}

std::optional<Mechanism> choose_mechanism(std::span<const std::string> offered,
                                          const ChannelBindings& bindings) {
  std::optional<Mechanism> best;
  for (const Row& row : rows) {
    if (row.mechanism == Mechanism::scram_sha_256_plus && bindings.none()) continue;
    for (const std::string& name : offered)
      if (text::equals_ignoring_case(row.name, name)) best = row.mechanism;
  }
  return best;
}

Result<std::string> prepared(std::string_view text) {
  if (text.empty()) return fail(Code::invalid, "it is empty");
  if (has_control(text)) return fail(Code::invalid, "it has a control character");
  return text::to_nfc(text);
}

}  // namespace tapal::sasl
