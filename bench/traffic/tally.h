// What a sink has received since the last reset.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "bench/traffic/latencies.h"
#include "bench/traffic/ledger.h"

namespace tapal::bench {

class Tally {
 public:
  // `header`: all of it, or as much as was kept, a Return-Path on top; `size` in bytes, as sent.
  void add_message(std::string_view header, std::uint64_t size, Instant now);

  std::uint64_t distinct() const { return ledger_.distinct(); }
  std::uint64_t messages() const { return messages_; }
  const Ledger& ledger() const { return ledger_; }
  const std::string& last_header() const { return last_header_; }
  std::string json() const;  // one line

  std::uint64_t connections = 0;
  std::uint64_t tls_connections = 0;
  std::uint64_t tls_resumed = 0;
  std::uint64_t tls_failures = 0;
  std::uint64_t deferred = 0;  // recipients answered 451

 private:
  Ledger ledger_;
  Latencies latencies_;  // from the stamp to the sink's "250"
  std::uint64_t messages_ = 0;
  std::uint64_t unstamped_ = 0;
  std::uint64_t unsigned_ = 0;  // without DKIM-Signature
  std::uint64_t bytes_ = 0;
  std::string last_header_;  // of the message that came last
  std::optional<Instant> first_at_;
  std::optional<Instant> last_at_;
};

}  // namespace tapal::bench
