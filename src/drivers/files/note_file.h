// A note as a file that only its owner may read.
#pragma once

#include <filesystem>

#include "ports/kept_note.h"

namespace tapal::files {

class NoteFile final : public KeptNote {
 public:
  explicit NoteFile(std::filesystem::path path) : path_(std::move(path)) {}

  Result<std::string> read() override;
  Result<void> write(std::string_view text) override;

 private:
  std::filesystem::path path_;
};

}  // namespace tapal::files
