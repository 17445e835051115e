// srs.keys of the configuration folder, which changes by itself.
#pragma once

#include <chrono>
#include <filesystem>

#include "base/result.h"
#include "base/time.h"

namespace tapal::app {

enum class SrsKeysTurned : std::uint8_t { no, yes };

// A new key on top when the file is older than `every` (0: never), the one before below it. A
// missing file stays missing: `tapal init` makes it.
Result<SrsKeysTurned> turn_srs_keys(const std::filesystem::path& config,
                                    std::chrono::seconds every,
                                    WallTime now);

}  // namespace tapal::app
