// Another mail server's files on this machine's disk.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rules/migrate/inventory.h"

namespace tapal::app {

class DiskFiles final : public migrate::OldFiles {
 public:
  // Paths are below `root`; empty: they are this machine's own.
  explicit DiskFiles(std::filesystem::path root) : root_(std::move(root)) {}

  Result<std::string> read(std::string_view path) const override;
  std::vector<std::string> names_in(std::string_view folder) const override;

  // What the system would not let us read, the first of it: what was read is then not all.
  const std::optional<Error>& refusal() const { return refusal_; }

 private:
  std::filesystem::path place_of(std::string_view path) const;
  std::filesystem::path root_;
  mutable std::optional<Error> refusal_;
};

}  // namespace tapal::app
