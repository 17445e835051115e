#include "drivers/files/note_file.h"

#include "drivers/files/files.h"
#include "drivers/files/hand_over.h"

namespace tapal::files {
namespace {

constexpr std::size_t note_bytes_max = 1UL << 20U;

}  // namespace

Result<std::string> NoteFile::read() {
  auto text = read_file(path_, note_bytes_max);
  if (!text && text.error().code == Code::not_found) return std::string();
  return text;
}

Result<void> NoteFile::write(std::string_view text) {
  TAPAL_CHECK(create_folder(path_.parent_path(), 0700));
  TAPAL_CHECK(write_atomically(path_, text, 0600));
  return hand_over(path_);
}

}  // namespace tapal::files
