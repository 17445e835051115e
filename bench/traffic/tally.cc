#include "bench/traffic/tally.h"

#include <chrono>

#include <fmt/format.h>

#include "bench/traffic/message.h"

namespace tapal::bench {
namespace {

bool has_field(std::string_view header, std::string_view name) {
  for (std::size_t at = header.find(name); at != std::string_view::npos;
       at = header.find(name, at + 1))
    if (at == 0 || header[at - 1] == '\n') return true;
  return false;
}

std::int64_t nanoseconds(const std::optional<Instant>& when) {
  return when ? std::chrono::nanoseconds(when->time_since_epoch()).count() : 0;
}

}  // namespace

void Tally::add_message(std::string_view header, std::uint64_t size, Instant now) {
  ++messages_;
  bytes_ += size;
  if (!first_at_) first_at_ = now;
  last_at_ = now;
  last_header_ = header;
  if (!has_field(header, "DKIM-Signature:")) ++unsigned_;
  const auto stamp = find_stamp(header);
  if (!stamp) {
    ++unstamped_;
    return;
  }
  // Of a message that comes twice the first coming counts.
  if (ledger_.add(stamp->id) == Ledger::Entry::fresh) latencies_.add(now - stamp->submitted);
}

std::string Tally::json() const {
  return fmt::format(
      R"({{"messages":{},"distinct":{},"duplicates":{},"unstamped":{},"unsigned":{},"bytes":{},)"
      R"("deferred":{},"connections":{},"tls_connections":{},"tls_resumed":{},"tls_failures":{},)"
      R"("first_at_ns":{},"last_at_ns":{},"latency_ms":{}}})",
      messages_,
      ledger_.distinct(),
      ledger_.duplicates(),
      unstamped_,
      unsigned_,
      bytes_,
      deferred,
      connections,
      tls_connections,
      tls_resumed,
      tls_failures,
      nanoseconds(first_at_),
      nanoseconds(last_at_),
      latencies_.json());
}

}  // namespace tapal::bench
