// The sink's side of an SMTP session, without sockets: takes everything, keeps nothing but counts.
// Lenient on purpose about the order of commands; what it is sent is a server's output.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "base/time.h"
#include "bench/traffic/end_of_data.h"
#include "bench/traffic/tally.h"

namespace tapal::bench {

// Of one sink; may change while sessions run.
struct SinkPolicy {
  bool starttls_offered = false;
  bool chunking_offered = true;
  bool defers = false;  // every recipient: 451
  // Called after each message that was taken.
  std::function<void()> on_message;
};

class SinkSession {
 public:
  static constexpr std::size_t line_bytes_max = 4096;
  static constexpr std::size_t header_bytes_max = 64 * 1024;  // kept; the rest only counts

  enum class Next : std::uint8_t { read_more, start_tls, close };

  // Both must outlive the session.
  SinkSession(const SinkPolicy& policy, Tally& tally);

  Next on_bytes(std::string_view bytes, Instant now);
  void on_tls_started();
  // What to write now, the greeting first; it is gone then.
  std::string take_replies() { return std::exchange(replies_, {}); }

 private:
  enum class Mode : std::uint8_t { commands, data, chunk };

  Next on_line(std::string_view line);
  void begin_header(std::string_view mail_command);
  void hello();
  void on_rcpt();
  void on_data();
  Next on_bdat(std::string_view line);
  std::size_t take_data(std::string_view bytes);
  std::size_t take_chunk(std::string_view bytes);
  void keep_header(std::string_view piece);
  void end_message();

  const SinkPolicy& policy_;
  Tally& tally_;
  Mode mode_ = Mode::commands;
  Instant now_;
  std::string line_;  // the beginning of one
  std::string replies_ = "220 sink.example ESMTP\r\n";
  std::size_t recipients_ = 0;
  bool tls_on_ = false;

  // One message.
  EndOfData end_;
  std::string header_;
  bool header_complete_ = false;
  std::uint64_t message_bytes_ = 0;
  std::uint64_t chunk_left_ = 0;
  bool chunk_is_last_ = false;
};

}  // namespace tapal::bench
