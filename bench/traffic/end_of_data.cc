#include "bench/traffic/end_of_data.h"

#include <algorithm>
#include <cstring>
#include <string>

namespace tapal::bench {
namespace {

constexpr std::string_view ending = "\r\n.\r\n";
constexpr std::size_t before_dot = 2;

// Dots are rarer than line ends, and memchr looks at 32 bytes at a time.
std::optional<std::size_t> end_within(std::string_view bytes) {
  for (std::size_t at = before_dot; at < bytes.size();) {
    const auto* dot =
        static_cast<const char*>(std::memchr(bytes.data() + at, '.', bytes.size() - at));
    if (dot == nullptr) break;
    at = static_cast<std::size_t>(dot - bytes.data());
    if (bytes.substr(at - before_dot, ending.size()) == ending)
      return at - before_dot + ending.size();
    ++at;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::size_t> EndOfData::find(std::string_view bytes) {
  // An ending that began in the bytes before.
  std::string seam(tail_, tail_size_);
  seam += bytes.substr(0, ending.size() - 1);
  std::optional<std::size_t> found;
  if (const auto at = seam.find(ending); at != std::string::npos)
    found = at + ending.size() - tail_size_;
  else
    found = end_within(bytes);
  if (found) {
    *this = {};
  } else {
    remember(bytes);
  }
  return found;
}

void EndOfData::remember(std::string_view bytes) {
  std::string last(tail_, tail_size_);
  last += bytes.substr(bytes.size() - std::min(bytes.size(), sizeof tail_));
  last.erase(0, last.size() - std::min(last.size(), sizeof tail_));
  tail_size_ = last.size();
  last.copy(tail_, tail_size_);
}

}  // namespace tapal::bench
