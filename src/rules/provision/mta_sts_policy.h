// The text at https://mta-sts.<domain>/.well-known/mta-sts.txt (RFC 8461 section 3.2).
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tapal::provision {

inline constexpr std::size_t mta_sts_policy_bytes_max = 64 * 1024;  // section 3.3

struct MtaStsPolicy {
  enum class Mode : std::uint8_t { none, testing, enforce } mode = Mode::none;
  std::vector<std::string> mx;  // lower case; "*.example.com" stands for one label
  std::chrono::seconds max_age{0};

  bool operator==(const MtaStsPolicy&) const = default;
  // Unknown fields are ignored, of those given twice the first counts, but for mx. Code::invalid
  // says what is missing or wrong.
  static Result<MtaStsPolicy> parse(std::string_view text);
  bool covers(std::string_view exchange) const;
};

}  // namespace tapal::provision
