// The drop folder on a disk (ports/drop_folder.h), mode 1733: every user may put files there, only
// its owner, the server, can list and remove them. A file's name is 128 random bits, which keep
// other users from it; its mode says that it is complete and was meant for us.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "ports/drop_folder.h"

namespace tapal::files {

class LocalDropFolder final : public DropFolder {
 public:
  // Made where it is missing, in a folder that is there. Files over `bytes_max` are none of ours.
  static Result<LocalDropFolder> open(std::filesystem::path folder, std::size_t bytes_max);

  Result<std::vector<std::string>> names(std::size_t names_max) override;
  Result<DroppedFile> read(const std::string& name) override;
  Result<void> remove(const std::string& name) override;

 private:
  LocalDropFolder(std::filesystem::path folder, std::size_t bytes_max)
      : folder_(std::move(folder)), bytes_max_(bytes_max) {}
  std::filesystem::path folder_;
  std::size_t bytes_max_;
};

// What any user does: on the disk when it comes back, or not there. Code::not_found: no server has
// made the folder.
Result<void> leave_drop(const std::filesystem::path& folder, std::string_view bytes);

}  // namespace tapal::files
