#include "rules/provision/mta_sts_policy.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "values/text/ascii.h"

namespace tapal::provision {
namespace {

constexpr std::size_t exchanges_max = 100;
constexpr std::int64_t max_age_most = 31'557'600;  // section 3.2

Result<MtaStsPolicy::Mode> mode_of(std::string_view text) {
  if (text == "enforce") return MtaStsPolicy::Mode::enforce;
  if (text == "testing") return MtaStsPolicy::Mode::testing;
  if (text == "none") return MtaStsPolicy::Mode::none;
  return fail(
      Code::invalid,
      fmt::format("mode is \"{}\", not enforce, testing or none", text::printable(text, 40)));
}

}  // namespace

Result<MtaStsPolicy> MtaStsPolicy::parse(std::string_view text) {
  if (text.size() > mta_sts_policy_bytes_max) return fail(Code::invalid, "the policy is too long");
  std::map<std::string_view, std::string_view> fields;
  MtaStsPolicy policy;
  for (const auto line : text::split(text, '\n')) {
    const auto colon = line.find(':');
    if (colon == line.npos) continue;
    const auto name = text::trim(line.substr(0, colon));
    const auto value = text::trim(line.substr(colon + 1));
    if (name == "mx" && policy.mx.size() < exchanges_max)
      policy.mx.push_back(text::to_lower(value));
    else
      fields.emplace(name, value);
  }
  if (fields["version"] != "STSv1") return fail(Code::invalid, "version is not STSv1");
  TAPAL_TRY(policy.mode, mode_of(fields["mode"]));
  const auto age = text::to_number<std::int64_t>(fields["max_age"]);
  if (!age || *age < 0 || *age > max_age_most)
    return fail(Code::invalid, "max_age is no number of seconds up to a year");
  policy.max_age = std::chrono::seconds(*age);
  if (policy.mode != Mode::none && policy.mx.empty()) return fail(Code::invalid, "no mx is named");
  return policy;
}

bool MtaStsPolicy::covers(std::string_view exchange) const {
  const auto dot = exchange.find('.');
  const auto above = dot == exchange.npos ? std::string_view() : exchange.substr(dot + 1);
  return std::ranges::any_of(mx, [&](std::string_view pattern) {
    return pattern == exchange ||
           (pattern.starts_with("*.") && !above.empty() && pattern.substr(2) == above);
  });
}

}  // namespace tapal::provision
