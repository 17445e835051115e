// The reader of DATA and BDAT against a slow, plain description of the same rules, and cut in two
// ways.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "protocols/smtp/data_reader.h"

namespace {

using namespace tapal::smtp;
using Format = DataReader::Format;

constexpr DataReader::Limits limits{20, 60, 120};

struct Outcome {
  std::string decoded;
  std::size_t taken = 0;
  bool ended = false;
  Violation violation = Violation::none;
  bool operator==(const Outcome&) const = default;
};

Outcome read(Format format, std::string_view bytes, std::size_t piece) {
  DataReader reader(format, limits);
  Outcome outcome;
  while (!bytes.empty() && !reader.ended()) {
    outcome.taken += reader.read(bytes.substr(0, piece), outcome.decoded);
    bytes.remove_prefix(std::min(piece, bytes.size()));
  }
  if (format != Format::dot_stuffed) reader.finish(outcome.decoded);
  outcome.ended = reader.ended();
  outcome.violation = reader.violation();
  if (outcome.violation != Violation::none) outcome.decoded.clear();
  return outcome;
}

void require(bool holds) {
  if (!holds) std::abort();
}

// Where CRLF "." CRLF ends DATA: the only end there is.
std::size_t end_of_data(std::string_view bytes) {
  if (bytes.starts_with(".\r\n")) return 3;
  const std::size_t at = bytes.find("\r\n.\r\n");
  return at == std::string_view::npos ? at : at + 5;
}

bool has_bare(std::string_view bytes) {
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    if (bytes[at] == '\n') return true;
    if (bytes[at] != '\r') continue;
    if (at + 1 < bytes.size() && bytes[at + 1] != '\n') return true;
    ++at;
  }
  return false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1 || size > 2048) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  for (const Format format : {Format::dot_stuffed, Format::lines, Format::binary}) {
    const Outcome whole = read(format, bytes, bytes.size() + 1);
    require(read(format, bytes, 1) == whole);
    require(read(format, bytes, data[0] % 31 + 1U) == whole);
    require(whole.decoded.size() <= limits.message_bytes);
    if (format == Format::dot_stuffed) {
      const std::size_t end = end_of_data(bytes);
      require(whole.ended == (end != std::string_view::npos));
      require(whole.taken == std::min(end, bytes.size()));
      require(has_bare(bytes.substr(0, whole.taken)) == (whole.violation >= Violation::bare_cr));
    } else {
      require(whole.taken == bytes.size() && !whole.ended);
    }
    if (format == Format::lines && whole.violation == Violation::none)
      require(whole.decoded == bytes);
  }
  return 0;
}
