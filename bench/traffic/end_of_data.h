// Finds the end of a message sent with DATA: a line with a dot alone (RFC 5321 section 4.1.1.4).
// Fast over bodies, whatever pieces they come in. Leaves doubled dots as they are.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace tapal::bench {

class EndOfData {
 public:
  // How many of these bytes belong to the message, the ending line included; nothing when all of
  // them do and more is to come. After the end was found, the next call begins a new message.
  std::optional<std::size_t> find(std::string_view bytes);

 private:
  static constexpr std::string_view line_before = "\r\n";  // the DATA command's own
  void remember(std::string_view bytes);

  char tail_[4] = {'\r', '\n'};  // the last bytes before those that come
  std::size_t tail_size_ = line_before.size();
};

}  // namespace tapal::bench
