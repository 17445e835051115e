#include "drivers/net/tls_hello.h"

#include <cstddef>

namespace tapal::tls {
namespace {

// Takes `size_bytes` of a length and so many bytes off the front; nothing when they are not there.
std::optional<std::string_view> take(std::string_view& from, std::size_t size_bytes) {
  if (from.size() < size_bytes) return {};
  std::size_t size = 0;
  for (const char c : from.substr(0, size_bytes)) size = size << 8U | static_cast<unsigned char>(c);
  from.remove_prefix(size_bytes);
  if (from.size() < size) return {};
  const auto taken = from.substr(0, size);
  from.remove_prefix(size);
  return taken;
}

}  // namespace

std::optional<std::string_view> only_protocol(std::string_view extension) {
  auto list = take(extension, 2);
  if (!list || !extension.empty()) return {};
  const auto protocol = take(*list, 1);
  if (!protocol || protocol->empty() || !list->empty()) return {};
  return protocol;
}

std::optional<std::string_view> server_name(std::string_view extension) {
  constexpr char host_name = 0;
  auto list = take(extension, 2);
  if (!list || !extension.empty() || !list->starts_with(host_name)) return {};
  list->remove_prefix(1);
  const auto name = take(*list, 2);
  if (!name || name->empty() || !list->empty()) return {};
  return name;
}

}  // namespace tapal::tls
