#include <cstdlib>

#include "values/dns/message.h"
#include "values/dns/zone.h"
#include "values/dns/zone_text.h"

// A message that is read can be written and reads back the same; a zone answers any query.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tapal::dns;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  static const Zone zone =
      Zone::from_text("@ SOA a b 1 2 3 4 5\n* MX 1 a\na A 192.0.2.1\nb CNAME a\nc NS d\n", "")
          .value();
  const auto reply = answer_bytes(std::span(&zone, 1), bytes, Transport::udp);
  if (reply && (!parse_message(*reply) || reply->size() > 4096)) std::abort();

  auto message = parse_message(bytes);
  if (!message) return 0;
  if (message->questions.size() > 1) message->questions.resize(1);
  const auto written = write_message(*message);
  // Names inside raw data grow when they are uncompressed, so the whole may no longer fit.
  if (!written) std::abort();
  const auto back = parse_message(*written);
  if (!back) std::abort();
  if (!back->flags.truncated && back->additional.size() == message->additional.size() &&
      *back != *message)
    std::abort();
  for (const Record& record : message->answers) {
    const auto again = parse_zone_text(to_zone_text(record));
    if (!again || again->size() != 1 || again->front() != record) std::abort();
  }
  return 0;
}
