// One SMTP connection of the load generator: opened, used for messages one after the other, closed.
// Sends as a good client does: with PIPELINING one write for the envelope and DATA, one for the
// body.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/task.h"
#include "bench/traffic/reply_scanner.h"
#include "ports/loop.h"
#include "ports/stream.h"

namespace tapal::bench {

enum class TlsUse : std::uint8_t { none, starttls, implicit };

struct SenderOptions {
  TlsUse tls = TlsUse::none;
  TlsClient* tls_client = nullptr;  // wanted unless `tls` is none; outlives the sender
  std::string tls_session_key;      // empty: every connection makes a whole handshake
  std::string user;                 // empty: no AUTH
  std::string password;
  Duration patience = std::chrono::seconds(60);  // for each reply
  Duration greeting_patience = std::chrono::seconds(60);
};

struct Envelope {
  std::string from;
  std::vector<std::string> to;
};

struct SendOutcome {
  enum class Kind : std::uint8_t { accepted, deferred, refused, lost } kind = Kind::lost;
  std::string text;  // the reply, or what happened to the connection
};

class Sender {
 public:
  // What they refer to outlives the sender.
  Sender(Loop& loop, const SenderOptions& options);

  // Takes a connected stream through greeting, EHLO, TLS and AUTH. try_later: a transient refusal.
  Task<Result<void>> open(std::unique_ptr<Stream> stream);
  bool is_open() const { return stream_ != nullptr; }
  // `body` ends with the dot and outlives the task. After `lost` the sender is closed.
  Task<SendOutcome> send(Envelope envelope, std::string_view body);
  // Ends when the server says something unasked, or hangs up.
  Task<Result<void>> wait_for_end();
  Task<void> quit();
  void hang_up();  // ends what waits, without a word to the server

 private:
  void close();
  Task<Result<ServerReply>> read_reply(Instant deadline);
  Task<Result<ServerReply>> ask(std::string line);
  Task<Result<void>> begin_session();
  Task<Result<void>> hello();
  Task<Result<void>> start_tls();
  Task<Result<void>> log_in();
  Task<Result<SendOutcome>> transact(Envelope envelope, std::string_view body);
  Task<Result<std::optional<ServerReply>>> envelope_refusal(std::vector<std::string> commands);
  Result<void> wants(const ServerReply& reply, std::string_view what) const;
  Instant deadline() const { return loop_.now() + options_.patience; }

  Loop& loop_;
  const SenderOptions& options_;
  std::unique_ptr<Stream> stream_;
  std::unique_ptr<char[]> buffer_;
  ReplyScanner scanner_;
  bool pipelining_ = false;
  bool reset_due_ = false;  // a transaction may still be open at the server
};

}  // namespace tapal::bench
