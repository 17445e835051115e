#include "rules/provision/key_state_file.h"

#include <algorithm>

#include <fmt/format.h>

#include "values/text/date.h"
#include "values/text/toml.h"

namespace tapal::provision {
namespace {

constexpr std::string_view state_file_head =
    "# What each DKIM key beside this file is for; tapal writes it. `tapal dkim status` tells it "
    "in\n"
    "# words. A key whose file has no entry is new: it signs once its record is published.\n"
    "#   stage   made, published, visible, signing, retiring (published only), revoked\n"
    "#   since   when that began; proven: when DNS first showed the key while it signed\n"
    "#   dns     what DNS showed last: ours, absent, revoked, other; a key that others cannot\n"
    "#           check does not sign\n";

constexpr std::size_t keys_max = 64;

// One value into its field; what was expected when it does not fit.
std::string_view read_value(std::string_view name,
                            const text::TomlScalar& scalar,
                            RotatingKey& key) {
  if (name == "stolen") {
    const auto* flag = std::get_if<bool>(&scalar.value);
    if (flag == nullptr) return "true or false";
    key.stolen = *flag;
    return {};
  }
  const auto* text = std::get_if<std::string>(&scalar.value);
  if (name == "stage") {
    const auto stage = text != nullptr ? key_stage_from(*text) : std::nullopt;
    if (!stage) return "made, published, visible, signing, retiring or revoked";
    key.stage = *stage;
  } else if (name == "dns") {
    const auto sight = text != nullptr ? key_sight_from(*text) : std::nullopt;
    if (!sight) return "unknown, absent, ours, revoked or other";
    key.sight = *sight;
  } else if (name == "since" || name == "proven") {
    const auto time = text != nullptr ? text::parse_rfc3339_date(*text)
                                      : Result<WallTime>(fail(Code::invalid, "no text"));
    if (!time) return "a time such as \"2026-11-26T07:30:00Z\"";
    if (name == "since") {
      key.since = *time;
    } else {
      key.proven = *time;
    }
  } else {
    return "stage, since, proven, dns or stolen";
  }
  return {};
}

RotatingKey& entry_of(std::vector<RotatingKey>& keys, std::string_view selector) {
  const auto found = std::ranges::find(keys, selector, &RotatingKey::selector);
  if (found != keys.end()) return *found;
  keys.push_back({.selector = std::string(selector)});
  return keys.back();
}

}  // namespace

Result<std::vector<RotatingKey>> read_key_states(std::string_view text,
                                                 std::string_view file_name) {
  const auto wrong = [&](const text::TomlPlace& place, std::string_view what) {
    return fail(Code::invalid, fmt::format("{}:{}: {}", file_name, place.line, what));
  };
  const auto toml = text::read_toml(text);
  if (!toml.problems.empty()) return wrong(toml.problems.front().place, toml.problems.front().what);
  std::vector<RotatingKey> keys;
  for (const auto& entry : toml.entries) {
    const auto* scalar = std::get_if<text::TomlScalar>(&entry.value);
    if (entry.path.size() != 2 || scalar == nullptr)
      return wrong(entry.place, "expected a table for each key, with plain values");
    auto& key = entry_of(keys, entry.path[0]);
    if (keys.size() > keys_max)
      return wrong(entry.place, fmt::format("more than {} keys", keys_max));
    if (const auto expected = read_value(entry.path[1], *scalar, key); !expected.empty())
      return wrong(entry.place,
                   fmt::format("{}: expected {}", text::toml_path_text(entry.path), expected));
  }
  return keys;
}

std::string key_states_text(const std::vector<RotatingKey>& keys) {
  std::string out(state_file_head);
  for (const auto& key : keys) {
    out += fmt::format("\n[{}]\nstage = \"{}\"\nsince = \"{}\"\n",
                       text::toml_quoted(key.selector),
                       text_of(key.stage),
                       text::rfc3339_date(key.since));
    if (key.proven) out += fmt::format("proven = \"{}\"\n", text::rfc3339_date(*key.proven));
    if (key.sight != KeySight::unknown) out += fmt::format("dns = \"{}\"\n", text_of(key.sight));
    if (key.stolen) out += "stolen = true\n";
  }
  return out;
}

}  // namespace tapal::provision
