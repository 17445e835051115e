// The mail server's side of a connection to a milter, without sockets or clocks: one message after
// another is played to the filter, and what the filter makes of it comes out. A client that has
// sent a message before is not told of again. Bytes, the body and the time go in; actions come out
// of next_action().
//
// A shell's loop: perform actions until there is none, then, if wants_bytes(), read until
// deadline() and call on_bytes(), on_closed() or on_time(). After Failed or Close it is over.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/ip_address.h"
#include "base/time.h"
#include "protocols/milter/packet.h"
#include "protocols/smtp/reply.h"
#include "values/mail/address.h"
#include "values/mail/header_edit.h"

namespace tapal::milter {

struct Options {
  std::chrono::seconds answer_time_max{30};    // for each answer
  std::chrono::seconds end_time_max{120};      // for the one to the whole message, and for progress
  std::chrono::seconds message_time_max{300};  // for a message in all
  std::size_t body_bytes_max = 64UL * 1024 * 1024;  // of a body in place of the message's
  std::size_t changes_max = 1'000;                  // of recipients and header fields
};

// A message as the filter is told of it. Macros are by Sendmail's names, long ones in braces; the
// recipient's own ({rcpt_addr}) are added by the session.
struct Message {
  std::string peer_name;  // the client's host name, or its address in brackets
  Endpoint peer;
  std::string helo;
  std::optional<mail::Address> return_path;
  std::vector<mail::Address> recipients;
  std::map<std::string, std::string, std::less<>> macros;
  std::string header;  // CRLF lines, no blank line
};

enum class Decision : std::uint8_t { accept, discard, defer, refuse };

// Changes are those asked for at the end of the message; each was negotiated. There is one answer
// for all recipients here: a filter that refuses one refuses the message.
struct Outcome {
  Decision decision = Decision::accept;
  smtp::Reply reply;  // of defer and refuse: the filter's own, or a usual one
  std::vector<mail::HeaderEdit> edits;
  std::optional<std::string> body;
  std::vector<mail::Address> added_recipients;
  std::vector<mail::Address> removed_recipients;
  std::optional<std::optional<mail::Address>> return_path;
  std::optional<std::string> quarantine;  // the reason

  bool operator==(const Outcome&) const = default;
};

// Write these bytes. Valid until the next call of next_action().
struct Send {
  std::string_view bytes;
};
// Call on_body() with up to bytes_max bytes from this offset on; none at the end of the body.
struct WantBody {
  std::uint64_t offset = 0;
  std::size_t bytes_max = 0;
};
// Call start() or quit().
struct Ready {};
struct Done {
  Outcome outcome;
};
// The filter is gone, late or breaks the protocol; close the connection.
struct Failed {
  std::string what;  // for people
};
struct Close {};

using Action = std::variant<Send, WantBody, Ready, Done, Failed, Close>;

class Session {
 public:
  Session(Options options, Instant now);

  std::optional<Action> next_action();

  void start(Message message, Instant now);  // after Ready
  void quit();                               // after Ready; gives a message up otherwise
  void on_bytes(std::string_view bytes, Instant now);
  void on_body(std::string_view bytes, Instant now);  // after WantBody
  void on_time(Instant now);
  void on_closed(std::string_view reason);

  bool wants_bytes() const { return awaits_; }
  Instant deadline() const;  // for reading and writing; `never` between messages
  // Whether this message may follow on this connection: it is the first, or the same client's, or
  // the filter can be told of another client (QUIT_NC). That is since version 6, and only where it
  // ended the last message by "continue": libmilter ignores QUIT_NC after any other answer.
  bool may_follow(const Message& message) const;

 private:
  enum class Stage : std::uint8_t {
    options,
    idle,
    connect,
    hello,
    mail,
    recipient,
    data,
    header,
    end_of_header,
    body,
    end_of_message,
    over,
  };
  struct Rule;
  static Rule rule_of(Stage stage);

  void advance();
  void enter_next_stage();
  bool has_more() const;  // of what the stage sends one by one
  void send_one(const Rule& rule);
  void send_macros(Command command);
  void send(std::string_view bytes) { out_ += bytes; }
  void await(Instant now);
  bool wishes(std::uint32_t what) const { return (wishes_ & what) != 0; }
  std::string header_data() const;

  void on_packet(const Packet& packet);
  void on_options(std::string_view data);
  bool on_change(const Packet& packet);  // false: it is none
  void on_header_change(const Packet& packet);
  void on_recipient_change(const Packet& packet);
  void on_decision(const Packet& packet);
  void refuse_with(std::string_view text);
  bool may(std::uint32_t what);
  void finish(Decision decision, smtp::Reply reply = {});
  void fail(std::string what);

  Options options_;
  Stage stage_ = Stage::options;
  Instant now_;
  Instant armed_at_;
  Instant begun_at_;
  bool awaits_ = false;
  bool wants_body_ = false;
  PacketReader reader_;
  std::string out_;      // not yet given to the shell
  std::string sending_;  // with the shell
  std::deque<Action> actions_;

  std::uint32_t version_ = protocol_version;
  std::uint32_t abilities_ = 0;
  std::uint32_t wishes_ = 0;
  std::map<Command, std::vector<std::string>> chosen_macros_;
  bool used_ = false;  // a message was played before
  bool may_change_client_ = false;
  std::string client_;  // of the last message, where the filter let it come to MAIL

  // One message.
  Message message_;
  std::vector<std::string_view> fields_;  // of message_.header
  std::size_t sent_ = 0;                  // recipients, or fields, of this stage
  std::uint64_t body_taken_ = 0;
  std::size_t changes_ = 0;
  std::size_t edit_bytes_ = 0;
  Outcome outcome_;
};

}  // namespace tapal::milter
