#include "app/cli/message_file.h"

#include <array>
#include <iostream>

#include "drivers/files/files.h"

namespace tapal::app {
namespace {

constexpr std::size_t message_bytes_max = 256UL << 20U;

}  // namespace

Result<std::string> read_message(const std::string& file) {
  if (file != "-") {
    TAPAL_TRY(const auto bytes, files::read_file(file, message_bytes_max));
    return with_crlf(bytes);
  }
  std::string bytes;
  std::array<char, 65536> piece{};
  while (std::cin.read(piece.data(), piece.size()) || std::cin.gcount() > 0) {
    bytes.append(piece.data(), static_cast<std::size_t>(std::cin.gcount()));
    if (bytes.size() > message_bytes_max) return fail(Code::invalid, "the message is too long");
  }
  return with_crlf(bytes);
}

std::string with_crlf(std::string_view text) {
  std::string lines;
  lines.reserve(text.size() + text.size() / 32);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r')) lines += '\r';
    lines += text[i];
  }
  return lines;
}

}  // namespace tapal::app
