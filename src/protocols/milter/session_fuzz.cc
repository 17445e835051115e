// A filter that says anything: the session ends, holds to its bounds, and comes to the same however
// the bytes are cut; but that an answer too early is caught only when it comes with the one before.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "protocols/milter/test_filter.h"

namespace {

using namespace tapal::milter;

void require(bool holds) {
  if (!holds) std::abort();
}

// The options, then what it says to each of our packets, in turn: a length byte, then bytes.
Played played(std::string_view bytes, std::size_t piece) {
  TestFilter filter;
  if (bytes.size() >= 4) {
    DataReader reader{bytes};
    filter.wishes = reader.number() & wish::offered;
    bytes.remove_prefix(4);
  }
  constexpr std::string_view letters = "CHMRTLNBE";
  std::size_t turn = 0;
  while (!bytes.empty()) {
    const std::size_t size = static_cast<std::uint8_t>(bytes.front());
    bytes.remove_prefix(1);
    filter.answers[letters[turn++ % letters.size()]].emplace_back(bytes.substr(0, size));
    bytes.remove_prefix(std::min(size, bytes.size()));
  }
  return play(filter, {test_message()}, "Hello\r\n", piece);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast)
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto whole = played(bytes, SIZE_MAX);
  const auto cut = played(bytes, 3);
  require(whole.failure != "it never ends");
  if (whole.failure.ends_with("unasked")) return 0;
  require(whole.outcomes.size() == cut.outcomes.size());
  for (std::size_t i = 0; i < whole.outcomes.size(); ++i) {
    const auto& outcome = whole.outcomes[i];
    require(outcome == cut.outcomes[i]);
    require(outcome.edits.size() <= Options{}.changes_max);
    const auto header = tapal::mail::edit_header("A: b\r\n", outcome.edits);
    require(header && (header->empty() || header->ends_with("\r\n")));
    require(!("\r\n" + *header).contains("\r\n\r\n"));
  }
  return 0;
}
