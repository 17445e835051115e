// The receiving side of SMTP (RFC 5321 and the extensions of extensions.h) as a value: bytes, time
// and answers go in, actions and questions come out. It has no socket, clock, log or policy of its
// own: who may send what to whom is decided by whoever answers its questions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/time.h"
#include "protocols/smtp/command.h"
#include "protocols/smtp/data_reader.h"
#include "protocols/smtp/extensions.h"
#include "protocols/smtp/reply.h"
#include "protocols/smtp/server_options.h"
#include "values/mail/envelope.h"

namespace tapal::smtp {

// What the handshake came to, as the Received field tells it.
struct TlsFacts {
  std::string version;  // "TLSv1.3"
  std::string cipher;   // "TLS_AES_256_GCM_SHA384"
  bool operator==(const TlsFacts&) const = default;
};

// Actions. Those named Ask are questions: the session waits for the answer they name and asks
// nothing else meanwhile. All others need no answer.

// Write these bytes to the peer.
struct Send {
  std::string bytes;
};
// Do the TLS handshake, then on_tls(). When it fails, close: there is nothing left to say.
struct StartTls {};
// Begin a SASL exchange, dropping any that was under way (the client may cancel one unseen).
// Answer: on_auth_challenge(), on_auth_success() or on_auth_failure().
struct AskAuthentication {
  std::string mechanism;  // one of ServerOptions::mechanisms, as spelled there
  std::optional<std::string> initial_response;  // decoded; may be a secret
};
// The client's next response, decoded; may be a secret. Answers as above.
struct AskAuthStep {
  std::string response;
};
// A transaction begins, dropping any that was under way. Answer: on_sender().
struct AskSender {
  mail::Envelope envelope;                      // everything but the recipients
  std::optional<std::uint64_t> declared_bytes;  // SIZE=, within the limit
  std::optional<std::string> authorized_as;     // AUTH=, decoded; a hint, never a proof (RFC 4954)
};
// Answer: on_recipient().
struct AskRecipient {
  mail::Recipient recipient;
};
// The message's next bytes, decoded: CRLF lines, dots unstuffed. on_body_refused() says that they
// could not be kept.
struct BodyBytes {
  std::string bytes;
};
// The message is complete and within every rule. Keep it for good; answer: on_stored().
struct AskStore {
  mail::Envelope envelope;
  std::uint64_t body_bytes = 0;  // of all BodyBytes together
};
// Drop the body bytes of this transaction: the message is refused or given up.
struct AbandonBody {};
// Close once everything sent is written. The last action.
struct Close {};

using ServerAction = std::variant<Send,
                                  StartTls,
                                  AskAuthentication,
                                  AskAuthStep,
                                  AskSender,
                                  AskRecipient,
                                  BodyBytes,
                                  AskStore,
                                  AbandonBody,
                                  Close>;

// Use: drain next_action(), answering each question as it comes; then, unless closed, read once
// while wants_bytes(), until deadline(). A question answered before the next call of next_action()
// lets the replies to pipelined commands leave in one Send; replies older than a second do not
// wait for further questions.
class ServerSession {
 public:
  // The greeting is the first action; with ServerTls::implicit_tls do the handshake before and
  // call on_tls() first. Bytes that came before the greeting was taken are accepted as one error:
  // speaking too soon (RFC 5321 section 4.3.1) harms nobody, but hurried senders are mostly abuse.
  ServerSession(ServerOptions options, Instant now);

  void on_bytes(std::string_view bytes, Instant now);  // not while a question is open
  void on_time(Instant now);                           // when deadline() has passed
  void on_tls(TlsFacts facts, Instant now);
  void on_sender(std::optional<Reply> refusal, Instant now);
  void on_recipient(std::optional<Reply> refusal, Instant now);
  void on_auth_challenge(std::string_view challenge, Instant now);  // not yet encoded
  void on_auth_success(std::string user, Instant now);
  void on_auth_failure(const Reply& refusal, Instant now);
  void on_stored(const Reply& reply, Instant now);  // 250 2.0.0 with the queue id, or why not
  // The body cannot be kept (a full disk, a filter's no): the rest is read over, this is the
  // answer at its end. Allowed from the first BodyBytes until on_stored().
  void on_body_refused(Reply refusal, Instant now);
  // Says 421 4.3.2 at the next boundary of commands and closes. A message on its way in is taken.
  void on_shutdown();
  // The same with another reply, 421 as a rule. Before the greeting was taken it comes instead.
  void on_overload(Reply reply);

  std::optional<ServerAction> next_action();
  bool wants_bytes() const;
  // When to call on_time(); `never` while a question is open, whose time is its answerer's affair.
  Instant deadline() const;
  bool is_closed() const { return phase_ == Phase::closed; }

  const std::string& helo() const { return helo_; }  // the name said in HELO or EHLO; or empty
  bool is_esmtp() const { return esmtp_; }
  const std::string& user() const { return user_; }  // authenticated; or empty
  const std::optional<TlsFacts>& tls() const { return tls_; }
  // For "Received: … with": ESMTPSA, UTF8SMTPS … of the transaction under way (RFC 3848, RFC 6531
  // section 4.3).
  std::string with_protocol() const;

 private:
  enum class Phase : std::uint8_t { commands, auth_response, data, chunk, skipped_chunk, closed };
  enum class Question : std::uint8_t { none, tls, authentication, sender, recipient, store };
  struct Transaction {
    bool sender_known = false;
    bool chunked = false;    // a BDAT was taken
    bool body_open = false;  // bytes may have gone out as BodyBytes
    bool recipient_tried = false;
    mail::Envelope envelope;
    mail::Recipient asked;
    std::optional<Reply> refusal;  // of the body, given at its end
    std::uint64_t raw_bytes = 0;   // of the body, as they came
  };

  // server_session.cc: the machine
  void greet();
  bool step();  // false: more bytes or an answer needed
  bool step_line();
  void refuse_line(std::string_view text);
  std::size_t line_bytes_max() const;
  void ask(Question question, ServerAction action);
  bool answered(Question question, Instant now);  // false: nobody asked
  void say(const Reply& reply);
  void say_answer(const Reply& reply);  // closes after 421
  void error(const Reply& reply);       // say() and count it
  void close_with(const Reply& reply);
  void close();
  void flush();
  void abandon_body();
  void reset_transaction();
  std::string_view unread() const { return std::string_view(input_).substr(read_); }

  // server_commands.cc
  void run(std::string_view line);
  void run_helo(const CommandLine& command);
  void run_mail(std::string_view argument);
  void run_rcpt(std::string_view argument);
  void run_starttls(std::string_view argument);
  void run_idle_command(const CommandLine& command);
  bool may_idle();  // false: closed
  void refuse_recipient(const Reply& reply);
  Extensions offered() const;
  Reply ehlo_reply() const;

  // server_auth.cc
  void run_auth(std::string_view argument);
  void run_auth_response(std::string_view line);
  void fail_authentication(const Reply& reply);

  // server_body.cc
  void run_data(std::string_view argument);
  void run_bdat(std::string_view argument);
  void open_body(DataReader::Format format);
  void skip_chunk(Reply reply);
  bool step_data();
  bool step_chunk();
  bool step_skipped_chunk();
  void take_body(std::size_t bytes);
  void finish_body();
  bool give_body_refusal();  // false: there is none

  ServerOptions options_;
  Phase phase_ = Phase::commands;
  Question question_ = Question::none;
  std::deque<ServerAction> actions_;
  std::string output_;  // replies not yet made a Send
  Instant output_since_{};
  std::optional<Reply> goodbye_;  // said at the next boundary
  bool greeted_ = false;

  std::string input_;
  std::size_t read_ = 0;         // of input_, already used
  std::size_t scanned_ = 0;      // of input_, known to hold no LF
  bool line_discarded_ = false;  // its beginning was too long and is gone

  Instant now_;
  Instant idle_since_;
  Instant session_end_;

  std::string helo_;
  bool esmtp_ = false;
  bool tls_on_ = false;
  std::optional<TlsFacts> tls_;
  std::string user_;
  Transaction transaction_;
  DataReader reader_;
  std::uint64_t chunk_bytes_ = 0;
  std::uint64_t chunk_left_ = 0;
  bool chunk_is_last_ = false;
  Reply chunk_refusal_;  // of a chunk that is read over

  std::size_t errors_ = 0;
  std::size_t idle_commands_ = 0;
  std::size_t transactions_ = 0;
  std::size_t refused_recipients_ = 0;
  std::size_t auth_failures_ = 0;
};

}  // namespace tapal::smtp
