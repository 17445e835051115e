// The reader takes any bytes, gives the same replies however they are cut, and what it read can be
// printed and read again.
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "protocols/smtp/client_extensions.h"
#include "protocols/smtp/reply.h"

namespace {

using tapal::smtp::Reply;

std::vector<Reply> read_all(std::string_view bytes, std::size_t piece) {
  tapal::smtp::ReplyReader reader;
  std::vector<Reply> replies;
  while (!bytes.empty()) {
    const std::string_view part = bytes.substr(0, piece);
    const auto taken = reader.feed(part);
    if (!taken) break;
    bytes.remove_prefix(*taken);
    if (reader.is_ready()) replies.push_back(reader.take());
  }
  return replies;
}

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast)
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto whole = read_all(bytes, bytes.size() + 1);
  require(whole == read_all(bytes, 1));
  require(whole == read_all(bytes, 7));
  for (const Reply& reply : whole) {
    require(reply.code >= 200 && reply.code <= 599 && !reply.lines.empty());
    require(tapal::smtp::one_line(reply).size() <= 1010);
    const auto again = read_all(tapal::smtp::wire(reply), 4096);
    require(again.size() == 1 && again[0].code == reply.code);
    require(tapal::smtp::parse_ehlo(reply).auth_mechanisms.size() <=
            tapal::smtp::auth_mechanisms_max);
  }
  return 0;
}
