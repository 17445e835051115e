// Whose a file is. What root makes in a folder that is another user's is that user's, too: so a
// server without root's rights reads and replaces what root's commands wrote.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include <sys/types.h>

#include "base/result.h"
#include "drivers/files/descriptor.h"

namespace tapal::files {

struct Owner {
  uid_t user = 0;
  gid_t group = 0;
};

// The folder's, where this process is root's and the folder is not. Nothing: no one is to be
// followed.
std::optional<Owner> owner_to_follow(const std::filesystem::path& folder);

// `path` is the open file's.
Result<void> follow_owner(const Descriptor& file, const std::filesystem::path& path);

// For flock(); made when missing, for its owner alone.
Result<Descriptor> open_lock(const std::filesystem::path& path);

// All that is root's in the folder, and the folder. Links are not followed, and a file with a
// second name stays root's.
Result<void> give_folder(const std::filesystem::path& folder, Owner owner);

}  // namespace tapal::files
