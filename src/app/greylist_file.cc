#include "app/greylist_file.h"

#include <utility>

#include "drivers/files/files.h"

namespace tapal::app {
namespace {

constexpr std::size_t file_bytes_max = 64UL * 1024 * 1024;
constexpr mode_t file_mode = 0600;

}  // namespace

KeptGreylist::KeptGreylist(std::filesystem::path file, Log& log)
    : file_(std::move(file)), log_(log) {
  const auto text = files::read_file(file_, file_bytes_max);
  if (text)
    memory_.take_in(*text);
  else if (text.error().code != Code::not_found)
    log_.write(Level::warning, "the greylist begins empty", {{"reason", text.error().what}});
}

KeptGreylist::~KeptGreylist() {
  const auto text = memory_.text();
  if (text.empty()) return;
  if (const auto written = files::write_atomically(file_, text, file_mode); !written)
    log_.write(Level::warning, "the greylist is not kept", {{"reason", written.error().what}});
}

}  // namespace tapal::app
