// What the doctor looks at in the configuration folder's files themselves: their rights, their
// backup, their age.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "app/settings.h"
#include "base/time.h"
#include "rules/provision/home.h"

namespace tapal::app {

// Private keys, password hashes and the like that others than their owner may read.
std::vector<provision::LooseFile> find_loose_files(const std::filesystem::path& config,
                                                   const Settings& settings);

// By what git keeps in the folder, without running it.
provision::BackupFacts look_at_backup(const std::filesystem::path& config);

std::optional<WallTime> changed_at(const std::filesystem::path& file);

}  // namespace tapal::app
