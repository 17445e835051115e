// The client's side of an SMTP or LMTP connection (RFC 5321, RFC 2033), without sockets or clocks.
// Bytes, answers and the time go in; actions come out of next_action() one at a time.
//
// A shell's loop: perform actions until there is none, then, if wants_bytes(), read until
// deadline() and call on_bytes(), on_closed() or on_time(). After Close the session is over. After
// a failed write, read what the peer may still have said, hand it in, then call on_closed().
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/time.h"
#include "protocols/smtp/client_extensions.h"
#include "protocols/smtp/client_transaction.h"
#include "protocols/smtp/dot_stuffer.h"
#include "protocols/smtp/reply.h"

namespace tapal::smtp {

enum class ClientVariant : std::uint8_t { smtp, lmtp };

enum class ClientTls : std::uint8_t {
  never,
  opportunistic,  // STARTTLS when offered; in clear when the command is refused
  required,       // no transaction without TLS
  implicit,       // the stream is under TLS already
};

enum class ClientAuth : std::uint8_t { never, required };

// Least waits of RFC 5321 section 4.5.3.2; TLS, AUTH and QUIT are ours.
struct ClientTimeouts {
  std::chrono::seconds greeting{300};
  std::chrono::seconds hello{300};
  std::chrono::seconds tls{120};
  std::chrono::seconds auth{300};
  std::chrono::seconds mail{300};  // RSET too
  std::chrono::seconds rcpt{300};
  std::chrono::seconds data{120};
  std::chrono::seconds block{180};  // each write of a body
  std::chrono::seconds final{600};
  std::chrono::seconds quit{5};
};

struct ClientOptions {
  std::string hello_name;  // our fully qualified name, or an address literal
  ClientVariant variant = ClientVariant::smtp;
  ClientTls tls = ClientTls::opportunistic;
  ClientAuth auth = ClientAuth::never;
  bool auth_in_clear_allowed = false;  // only for a peer on the same machine
  // With CHUNKING and PIPELINING a body up to this size goes out in the same write as MAIL and
  // RCPT. A larger one waits for the recipients' replies: a refusal must not cost its transfer.
  std::uint64_t early_body_bytes_max = 64 * 1024;
  ClientTimeouts timeouts;
};

namespace client {

// Write these bytes, then call on_sent(). Valid until the next call of next_action().
struct Send {
  std::string_view bytes;
};
// Make a TLS handshake, then call on_tls_started() or on_tls_failed().
struct StartTls {};
// Choose one and call on_auth_start(), or on_auth_given_up() when none will do.
struct AskAuthentication {
  std::vector<std::string> mechanisms;  // upper case
};
// Call on_auth_response() or on_auth_given_up().
struct AuthChallenge {
  std::string bytes;  // decoded
};
// The peer says yes. Call on_auth_verified() when the mechanism agrees (SCRAM has the peer prove
// itself), else on_auth_given_up().
struct AuthAccepted {};
// Call on_body() with 1 to bytes_max bytes of the body, from this offset on; or on_body_failed().
struct WantBody {
  std::uint64_t offset = 0;
  std::size_t bytes_max = 0;
};
// One result for each recipient, in order.
struct TransactionDone {
  std::vector<RecipientResult> recipients;
  // The session ended after all of the message was handed out, without the peer's answer: the
  // recipients that are `lost` may have it (RFC 5321 section 4.5.3.2.6, RFC 1047).
  bool maybe_delivered = false;
};
// Call start() or quit(). When may_reuse is false only quit() is left.
struct Ready {
  bool may_reuse = true;
};
struct SessionFailed {
  enum class Kind : std::uint8_t {
    greeting_refused,  // or EHLO and HELO
    protocol,          // the peer says what it may not
    shutting_down,     // 421
    tls_refused,       // required, and not offered or refused
    tls_failed,        // the handshake; in clear another try may work
    auth_failed,
    body_failed,  // our side could not read the body
    lost,
    timed_out,
  };
  Kind kind = Kind::lost;
  Phase phase = Phase::greeting;
  std::optional<Reply> reply;  // the peer's, when that is the reason
  std::string what;            // for people, always set
};
struct Close {};

using Action = std::variant<Send,
                            StartTls,
                            AskAuthentication,
                            AuthChallenge,
                            AuthAccepted,
                            WantBody,
                            TransactionDone,
                            Ready,
                            SessionFailed,
                            Close>;

}  // namespace client

class ClientSession {
 public:
  // Never more of a body than about this is held.
  static constexpr std::size_t buffered_bytes_max = 64 * 1024;

  ClientSession(ClientOptions options, Instant now);

  std::optional<client::Action> next_action();

  // Input.
  void on_bytes(std::string_view bytes, Instant now);
  void on_sent(Instant now);
  void on_time(Instant now);
  void on_closed(std::string_view reason);  // the connection is gone, or given up
  void on_tls_started(Instant now);
  void on_tls_failed(std::string_view reason);  // with implicit TLS before the greeting, too
  // Bytes as the mechanism has them, before base64. Nothing is no initial response; "" is an empty
  // one.
  void on_auth_start(std::string_view mechanism, std::optional<std::string_view> initial);
  void on_auth_response(std::string_view bytes);
  void on_auth_verified();
  void on_auth_given_up(std::string_view reason);
  void on_body(std::string_view bytes);  // no bytes: the body ended early, which is a failure
  void on_body_failed(std::string_view reason);
  // After Ready with may_reuse. A transaction ends with TransactionDone, then Ready or
  // SessionFailed; at any other time than after Ready it ends at once, with no recipient tried.
  void start(client::Transaction transaction, Instant now);
  // Sends QUIT and waits shortly for its reply. In the middle of a transaction: gives it up.
  void quit(Instant now);

  bool wants_bytes() const;  // a reply is awaited
  bool wants_body() const;
  bool is_closed() const { return stage_ == Stage::closed; }  // Close was taken
  Instant deadline() const;  // for reading, writing and the handshake; `never` when idle

  // The peer, as far as it has spoken.
  const std::string& greeting_name() const { return greeting_name_; }
  const ExtensionSet& extensions() const { return extensions_; }
  bool tls_on() const { return tls_on_; }
  bool authenticated() const { return authenticated_; }
  const client::Transaction& transaction() const { return transaction_; }

 private:
  enum class Stage : std::uint8_t {
    hello,           // greeting, EHLO, STARTTLS and their replies
    tls_handshake,   // the shell's turn
    auth,            // a reply to AUTH
    auth_choice,     // the shell's turn
    auth_challenge,  // the shell's turn
    auth_verify,     // the shell's turn
    idle,
    commands,  // MAIL, RCPT, DATA and their replies
    body,
    final,
    quitting,
    closing,  // what is left to say, then Close
    closed,
  };
  enum class RecipientStep : std::uint8_t { unsent, sent, taken, settled };
  struct Awaited {  // a command whose reply is to come
    enum class Command : std::uint8_t {
      greeting,
      ehlo,
      helo,
      starttls,
      auth,
      reset,
      mail,
      rcpt,
      data,
      final,
      quit,
    };
    Command command = Command::greeting;
    std::size_t recipient = 0;  // of rcpt, and of final with LMTP
  };
  enum class Goodbye : std::uint8_t { none, quit };
  enum class Delivery : std::uint8_t { data, bdat, early_bdat };

  // client_session.cc: the machine
  void command(Awaited awaited, std::string_view line);
  void on_reply(const Reply& reply);
  void on_answer(const Awaited& awaited, const Reply& reply);
  void on_unasked_reply(const Reply& reply);
  void on_shutdown(const Reply& reply);
  void fail(client::SessionFailed failure, Goodbye goodbye = Goodbye::none);
  void fail_protocol(std::string what, std::optional<Reply> reply = {});
  void close_after(Goodbye goodbye);
  std::chrono::seconds patience() const;
  client::Phase phase() const;
  static client::Phase phase_of(Awaited::Command command);
  void release_buffers();

  // client_handshake.cc: up to Ready
  void on_greeting(const Reply& reply);
  void say_hello();
  void on_hello(const Reply& reply, Awaited::Command said);
  void after_hello();
  void on_starttls(const Reply& reply);
  void on_auth(const Reply& reply);
  void cancel_auth(std::string_view reason);
  void become_ready();

  // client_mail.cc: transactions
  void plan_recipients();
  void issue();
  bool issue_one();
  void advance();
  void on_mail(const Reply& reply);
  void on_rcpt(std::size_t index, const Reply& reply);
  void on_data(const Reply& reply);
  void on_final(std::size_t index, const Reply& reply);
  void on_early_reply(const Reply& reply);
  void begin_body();
  void end_body();
  bool has_taken() const;
  bool is_open(std::size_t index) const;  // no outcome yet
  void settle(std::size_t index, client::Outcome outcome, client::Phase phase, const Reply& reply);
  void settle_open(client::Outcome outcome, client::Phase phase, const Reply& reply);
  void lose_open(const client::SessionFailed& failure);
  void conclude();

  ClientOptions options_;
  Stage stage_ = Stage::hello;
  Instant now_;
  Instant armed_at_;  // when the wait for what comes next began
  ReplyReader reader_;
  std::deque<Awaited> awaited_;
  std::optional<Awaited::Command> answering_;  // whose reply is being looked at
  std::deque<client::Action> actions_;
  std::string out_;      // not yet given to the shell
  std::string sending_;  // with the shell

  bool tls_on_ = false;
  bool authenticated_ = false;
  std::string greeting_name_;
  ExtensionSet extensions_;
  std::optional<Reply> starttls_refusal_;
  std::optional<std::string> auth_initial_;  // too long for the AUTH line: goes with the first 334
  std::string auth_cancelled_;               // why
  std::size_t auth_rounds_ = 0;

  std::uint32_t mails_ = 0;  // transactions begun on this connection
  bool reset_due_ = false;   // the peer may still have the last transaction open

  // One transaction.
  client::Transaction transaction_;
  std::vector<client::RecipientResult> results_;
  std::vector<RecipientStep> steps_;
  std::size_t next_recipient_ = 0;  // the first that may still have to be sent
  Delivery delivery_ = Delivery::data;
  DotStuffer stuffer_;
  std::uint64_t body_taken_ = 0;
  bool in_transaction_ = false;
  bool mail_sent_ = false;
  bool mail_accepted_ = false;
  bool content_asked_ = false;  // DATA or BDAT is said
  bool body_ended_ = false;     // the end of the message is in out_
  bool handed_out_ = false;     // and was given to the shell
};

}  // namespace tapal::smtp
