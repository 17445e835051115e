// Whole files, read with a bound and replaced in one step. Errors name the path; their code is
// not_found, denied, full (disk, quota or file size bound reached), invalid (longer than allowed,
// or not a regular file) or internal.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include <sys/types.h>

#include "base/result.h"

namespace tapal::files {

inline constexpr std::size_t config_file_bytes_max = 16u << 20;

Result<std::string> read_file(const std::filesystem::path& path,
                              std::size_t bytes_max = config_file_bytes_max);

// A reader sees the old bytes or the new ones, also after a crash: written beside the place,
// synced, renamed over it, and the folder synced.
Result<void> write_atomically(const std::filesystem::path& path,
                              std::string_view bytes,
                              mode_t mode);

// With its parents; those that were missing get the same mode. One that is there stays as it is.
Result<void> create_folder(const std::filesystem::path& path, mode_t mode);

// Read, change, write, under a lock (`<path>.lock`) that keeps a second editor waiting. A missing
// file reads as empty. When `change` fails nothing is written.
Result<void> edit_file(const std::filesystem::path& path,
                       mode_t mode,
                       const std::function<Result<std::string>(std::string_view)>& change);

// At the end of a file that is made when missing; not synced.
Result<void> append_line(const std::filesystem::path& path, std::string_view line, mode_t mode);

// An errno as an error: "cannot <action> <path>: <reason>".
Error system_error(std::string_view action, const std::filesystem::path& path, int number);

}  // namespace tapal::files
