#include "bench/traffic/sender.h"

#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "values/text/base64.h"

namespace tapal::bench {
namespace {

constexpr std::size_t buffer_bytes = 4096;

SendOutcome outcome_of(const ServerReply& reply) {
  using Kind = SendOutcome::Kind;
  const auto kind = reply.positive()    ? Kind::accepted
                    : reply.transient() ? Kind::deferred
                                        : Kind::refused;
  return {kind, reply.text};
}

}  // namespace

Sender::Sender(Loop& loop, const SenderOptions& options)
    : loop_(loop), options_(options), buffer_(std::make_unique<char[]>(buffer_bytes)) {}

Task<Result<ServerReply>> Sender::read_reply(Instant deadline) {
  for (;;) {
    if (auto reply = scanner_.next()) {
      if (reply->code == 0) co_return fail(Code::invalid, "no reply: " + reply->text);
      co_return *std::move(reply);
    }
    const std::span<char> room(buffer_.get(), buffer_bytes);
    TAPAL_CO_TRY(const auto count, co_await stream_->read(room, deadline));
    scanner_.add({buffer_.get(), count});
  }
}

Task<Result<ServerReply>> Sender::ask(std::string line) {
  TAPAL_CO_CHECK(co_await stream_->write(line, deadline()));
  co_return co_await read_reply(deadline());
}

Result<void> Sender::wants(const ServerReply& reply, std::string_view what) const {
  if (reply.positive()) return {};
  return fail(reply.transient() ? Code::try_later : Code::denied,
              fmt::format("{}: {}", what, reply.text));
}

Task<Result<void>> Sender::open(std::unique_ptr<Stream> stream) {
  stream_ = std::move(stream);
  scanner_ = {};
  reset_due_ = false;
  auto opened = co_await begin_session();
  if (!opened) close();
  co_return opened;
}

Task<Result<void>> Sender::begin_session() {
  if (options_.tls == TlsUse::implicit) {
    TAPAL_CO_CHECK(co_await start_tls());
  }
  TAPAL_CO_TRY(const auto greeting, co_await read_reply(loop_.now() + options_.greeting_patience));
  TAPAL_CO_CHECK(wants(greeting, "greeting"));
  TAPAL_CO_CHECK(co_await hello());
  if (options_.tls == TlsUse::starttls) {
    TAPAL_CO_TRY(const auto ready, co_await ask("STARTTLS\r\n"));
    TAPAL_CO_CHECK(wants(ready, "STARTTLS"));
    TAPAL_CO_CHECK(co_await start_tls());
    TAPAL_CO_CHECK(co_await hello());
  }
  if (!options_.user.empty()) {
    TAPAL_CO_CHECK(co_await log_in());
  }
  co_return Result<void>();
}

Task<Result<void>> Sender::start_tls() {
  TlsConnectOptions how;
  how.session_key = options_.tls_session_key;
  TAPAL_CO_TRY(const auto state,
               co_await stream_->connect_tls(*options_.tls_client, std::move(how), deadline()));
  static_cast<void>(state);
  co_return Result<void>();
}

Task<Result<void>> Sender::hello() {
  TAPAL_CO_TRY(const auto reply, co_await ask("EHLO load.example\r\n"));
  TAPAL_CO_CHECK(wants(reply, "EHLO"));
  pipelining_ = reply.text.find("PIPELINING") != std::string::npos;
  co_return Result<void>();
}

// AUTH PLAIN with its initial response (RFC 4616).
Task<Result<void>> Sender::log_in() {
  std::string secret(1, '\0');
  secret += options_.user;
  secret += '\0';
  secret += options_.password;
  std::string line = fmt::format("AUTH PLAIN {}\r\n", text::to_base64(secret));
  TAPAL_CO_TRY(const auto reply, co_await ask(std::move(line)));
  co_return wants(reply, "AUTH");
}

Task<SendOutcome> Sender::send(Envelope envelope, std::string_view body) {
  auto done = co_await transact(std::move(envelope), body);
  if (done) co_return *std::move(done);
  close();
  SendOutcome lost{SendOutcome::Kind::lost, std::move(done).error().what};
  co_return lost;
}

Task<Result<SendOutcome>> Sender::transact(Envelope envelope, std::string_view body) {
  std::vector<std::string> commands;
  if (std::exchange(reset_due_, true)) commands.emplace_back("RSET\r\n");
  commands.push_back(fmt::format("MAIL FROM:<{}>\r\n", envelope.from));
  for (const auto& to : envelope.to) commands.push_back(fmt::format("RCPT TO:<{}>\r\n", to));
  commands.emplace_back("DATA\r\n");
  TAPAL_CO_TRY(const auto refusal, co_await envelope_refusal(std::move(commands)));
  if (refusal) {
    if (refusal->code == 421) co_return fail(Code::closed, refusal->text);
    co_return outcome_of(*refusal);
  }
  TAPAL_CO_CHECK(co_await stream_->write(body, deadline()));
  TAPAL_CO_TRY(const auto last, co_await read_reply(deadline()));
  reset_due_ = false;
  if (last.code == 421) co_return fail(Code::closed, last.text);
  co_return outcome_of(last);
}

// The first refusal among the replies; none when the server waits for the body. A server that
// refuses some and still says 354 gets a lone dot.
Task<Result<std::optional<ServerReply>>> Sender::envelope_refusal(
    std::vector<std::string> commands) {
  std::string all;
  for (const auto& command : commands) all += command;
  if (pipelining_) {
    TAPAL_CO_CHECK(co_await stream_->write(all, deadline()));
  }
  std::optional<ServerReply> refusal;
  int code = 0;
  for (const auto& command : commands) {
    if (!pipelining_) {
      TAPAL_CO_CHECK(co_await stream_->write(command, deadline()));
    }
    TAPAL_CO_TRY(auto reply, co_await read_reply(deadline()));
    code = reply.code;
    if (!reply.positive() && !refusal) refusal = std::move(reply);
    if (refusal && !pipelining_) co_return refusal;
  }
  if (refusal && code == 354) {
    TAPAL_CO_TRY(const auto end, co_await ask(".\r\n"));
    static_cast<void>(end);
  }
  co_return refusal;
}

Task<Result<void>> Sender::wait_for_end() {
  const std::span<char> room(buffer_.get(), buffer_bytes);
  TAPAL_CO_TRY(const auto count, co_await stream_->read(room, never));
  static_cast<void>(count);
  co_return Result<void>();
}

Task<void> Sender::quit() {
  if (!stream_) co_return;
  const auto reply = co_await ask("QUIT\r\n");
  static_cast<void>(reply);
  close();
}

void Sender::hang_up() {
  if (stream_) stream_->close();
}

void Sender::close() {
  if (stream_) stream_->close();
  stream_.reset();
}

}  // namespace tapal::bench
