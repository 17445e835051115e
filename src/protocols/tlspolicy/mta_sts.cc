#include "protocols/tlspolicy/mta_sts.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "values/crypto/hash.h"
#include "values/text/ascii.h"
#include "values/text/hex.h"
#include "values/text/idna.h"

namespace tapal::tlspolicy {
namespace {

constexpr std::array<std::string_view, 3> modes{"testing", "enforce", "none"};
constexpr std::size_t id_characters = 20;  // of the 32 that RFC 8461 section 3.1 allows

// The fields that have been read; of each but mx the first counts.
struct Fields {
  std::optional<std::string_view> version;
  std::optional<std::string_view> mode;
  std::optional<std::string_view> max_age;
  std::vector<std::string> mx;

  Result<void> read(std::string_view line) {
    const std::size_t colon = line.find(':');
    if (colon == line.npos)
      return fail(Code::invalid,
                  fmt::format("\"{}\" is no field of a policy", text::printable(line, 80)));
    const auto name = text::trim(line.substr(0, colon));
    const auto value = text::trim(line.substr(colon + 1));
    for (auto [field, known] :
         {std::pair{&version, "version"}, {&mode, "mode"}, {&max_age, "max_age"}})
      if (name == known && !*field) *field = value;
    return name == "mx" ? read_host(value) : Result<void>();
  }

  Result<void> read_host(std::string_view value) {
    auto host = text::to_lower(value);
    if (!is_mta_sts_host(host))
      return fail(Code::invalid, fmt::format("mx: {} is no host", text::printable(value, 80)));
    if (mx.size() >= mta_sts_hosts_max) return fail(Code::invalid, "mx: too many hosts");
    mx.push_back(std::move(host));
    return {};
  }
};

}  // namespace

std::string_view text_of(MtaStsMode mode) { return modes.at(static_cast<std::size_t>(mode)); }

bool is_mta_sts_host(std::string_view pattern) {
  const auto name = pattern.starts_with("*.") ? pattern.substr(2) : pattern;
  return text::check_hostname(name).has_value() && text::to_lower(name) == name;
}

std::string mta_sts_text(const MtaStsPolicy& policy) {
  std::string text = fmt::format("version: STSv1\r\nmode: {}\r\n", text_of(policy.mode));
  for (const auto& host : policy.mx) text += fmt::format("mx: {}\r\n", host);
  return text + fmt::format("max_age: {}\r\n", policy.max_age.count());
}

Result<MtaStsPolicy> parse_mta_sts(std::string_view text) {
  if (text.size() > mta_sts_bytes_max) return fail(Code::invalid, "the policy is too long");
  Fields fields;
  for (const auto line : text::split(text, '\n')) {
    if (text::trim(line).empty()) continue;
    TAPAL_CHECK(fields.read(text::trim(line)));
  }
  if (fields.version != "STSv1") return fail(Code::invalid, "version: expected STSv1");
  const auto* const mode = std::ranges::find(modes, fields.mode.value_or(""));
  if (mode == modes.end())
    return fail(Code::invalid, "mode: expected \"testing\", \"enforce\" or \"none\"");
  const auto age = text::to_number<std::uint32_t>(fields.max_age.value_or(""));
  if (!age) return fail(Code::invalid, "max_age: expected seconds");
  MtaStsPolicy policy{static_cast<MtaStsMode>(mode - modes.begin()),
                      std::move(fields.mx),
                      std::min(std::chrono::seconds(*age), mta_sts_age_max)};
  if (policy.mx.empty() && policy.mode != MtaStsMode::none)
    return fail(Code::invalid, "mx: the policy names no host");
  return policy;
}

std::string mta_sts_id(const MtaStsPolicy& policy) {
  const auto digest = crypto::sha256(mta_sts_text(policy));
  return text::to_hex(crypto::bytes_of(digest)).substr(0, id_characters);
}

std::string mta_sts_record(const MtaStsPolicy& policy) {
  return fmt::format("v=STSv1; id={};", mta_sts_id(policy));
}

}  // namespace tapal::tlspolicy
