// Where a user of ours stands in the configuration folder.
#pragma once

#include <filesystem>

#include <sys/types.h>

#include "app/command.h"
#include "base/result.h"
#include "values/mail/address.h"

namespace tapal::app {

inline constexpr mode_t users_file_mode = 0600;

// The file, which may not be there yet. not_found: the domain is not ours.
Result<std::filesystem::path> users_file_of(const CommonOptions& common, const mail::Address& user);

}  // namespace tapal::app
