// Files that root makes for a server with a user of its own.
#pragma once

#include <filesystem>

#include "base/result.h"

namespace tapal::files {

// Run by root: gives `path` to whom the folder above it belongs. By others: nothing.
Result<void> hand_over(const std::filesystem::path& path);

}  // namespace tapal::files
