// What the doctor looks at in the configuration folder's files themselves: their rights, their age.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "app/settings/settings.h"
#include "base/time.h"
#include "rules/provision/home.h"

namespace tapal::app {

// Private keys, password hashes and the like that others than their owner may read.
std::vector<provision::LooseFile> find_loose_files(const std::filesystem::path& config,
                                                   const Settings& settings);

std::optional<WallTime> changed_at(const std::filesystem::path& file);

}  // namespace tapal::app
