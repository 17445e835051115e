// Drives a ServerSession the way its shell does and writes down what it did, for tests and fuzzing.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include "protocols/smtp/server_session.h"
#include "values/text/ascii.h"

namespace tapal::smtp {

// Printable and in one line: CRLF becomes \r\n, other controls \xNN.
inline std::string escaped(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\r') {
      out += "\\r";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\\') {
      out += "\\\\";
    } else if (byte < 0x20 || byte == 0x7F) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  return out;
}

inline std::string described(const mail::Envelope& envelope) {
  std::string out = "<" + (envelope.return_path ? envelope.return_path->text() : "") + ">";
  if (envelope.body == mail::BodyType::eight_bit_mime) out += " 8bitmime";
  if (envelope.body == mail::BodyType::binary_mime) out += " binarymime";
  if (envelope.smtputf8) out += " smtputf8";
  if (envelope.require_tls) out += " requiretls";
  if (envelope.return_content == mail::ReturnContent::full) out += " ret=full";
  if (envelope.return_content == mail::ReturnContent::headers) out += " ret=hdrs";
  if (!envelope.envelope_id.empty()) out += " envid=" + envelope.envelope_id;
  return out;
}

inline std::string described(const mail::Recipient& recipient) {
  std::string out = "<" + recipient.address.text() + ">";
  if (recipient.notify.never) out += " never";
  if (recipient.notify.success) out += " success";
  if (recipient.notify.failure) out += " failure";
  if (recipient.notify.delay) out += " delay";
  if (!recipient.original.empty()) out += " orcpt=" + recipient.original;
  return out;
}

class SessionPlayer {
 public:
  // Given the question, the answer: "accept", "refuse 550 5.1.1 text", "challenge bytes",
  // "success user".
  using Answerer = std::function<std::string(const std::string& question)>;
  enum class Answering : std::uint8_t {
    at_once,  // before the next call of next_action()
    later,    // once next_action() has nothing more to give
  };

  SessionPlayer(ServerOptions options, Answerer answerer, Answering answering)
      : session(std::move(options), now), answerer_(std::move(answerer)), answering_(answering) {}

  void drain() {
    while (true) {
      while (auto action = session.next_action()) {
        take(*action);
        if (answering_ == Answering::at_once) answer();
      }
      if (open_question_.empty()) return;
      answer();
    }
  }
  void say(std::string_view bytes) {
    session.on_bytes(bytes, now);
    drain();
  }
  // Everything but replies, in order; then what was sent.
  std::vector<std::string> take_trace() { return std::exchange(trace_, {}); }
  std::string take_sent() { return std::exchange(sent_, {}); }
  void refuse_next_body(Reply reply) { body_refusal_ = std::move(reply); }

  Instant now{};
  ServerSession session;

 private:
  void ask(std::string question) {
    trace_.push_back(question);
    open_question_ = std::move(question);
  }
  void take(const ServerAction& action) {
    if (const auto* send = std::get_if<Send>(&action)) {
      sent_ += send->bytes;
    } else if (const auto* begin = std::get_if<AskAuthentication>(&action)) {
      ask("authenticate " + begin->mechanism +
          (begin->initial_response ? " initial=" + escaped(*begin->initial_response) : ""));
    } else if (const auto* next = std::get_if<AskAuthStep>(&action)) {
      ask("response " + escaped(next->response));
    } else if (const auto* sender = std::get_if<AskSender>(&action)) {
      std::string text = "sender " + described(sender->envelope);
      if (sender->declared_bytes) text += fmt::format(" size={}", *sender->declared_bytes);
      if (sender->authorized_as) text += fmt::format(" auth=<{}>", *sender->authorized_as);
      ask(std::move(text));
    } else if (const auto* to = std::get_if<AskRecipient>(&action)) {
      ask("recipient " + described(to->recipient));
    } else if (const auto* bytes = std::get_if<BodyBytes>(&action)) {
      body_ += bytes->bytes;
      if (body_refusal_) session.on_body_refused(*std::exchange(body_refusal_, {}), now);
    } else if (const auto* store = std::get_if<AskStore>(&action)) {
      std::string text =
          fmt::format("store {} {}", session.with_protocol(), described(store->envelope));
      for (const mail::Recipient& each : store->envelope.recipients)
        text += " to " + described(each);
      if (store->body_bytes != body_.size()) text += " MISCOUNTED";
      ask(text + " body=" + escaped(std::exchange(body_, {})));
    } else if (std::holds_alternative<AbandonBody>(action)) {
      body_.clear();
      trace_.emplace_back("abandon");
    } else if (std::holds_alternative<StartTls>(action)) {
      ask("starttls");
    } else if (std::holds_alternative<Close>(action)) {
      trace_.emplace_back("close");
      open_question_.clear();
    }
  }
  static Reply reply_from(std::string_view text) {
    const std::size_t status = text.find(' ') + 1;
    const std::size_t words = text.find(' ', status) + 1;
    return make_reply(text::to_number<int>(text.substr(0, status - 1)).value_or(0),
                      text.substr(status, words - status - 1),
                      text.substr(words));
  }
  void answer() {
    if (open_question_.empty()) return;
    const std::string question = std::exchange(open_question_, {});
    const std::string answer = answerer_(question);
    const std::size_t space = answer.find(' ');
    const std::string word = answer.substr(0, space);
    const std::string rest = space == std::string::npos ? "" : answer.substr(space + 1);
    std::optional<Reply> refusal;
    if (word == "refuse") refusal = reply_from(rest);
    if (question == "starttls") {
      session.on_tls({"TLSv1.3", "TLS_AES_256_GCM_SHA384"}, now);
    } else if (question.starts_with("sender ")) {
      session.on_sender(std::move(refusal), now);
    } else if (question.starts_with("recipient ")) {
      session.on_recipient(std::move(refusal), now);
    } else if (question.starts_with("store ")) {
      session.on_stored(refusal ? *std::move(refusal) : make_reply(250, "2.0.0", "queued"), now);
    } else if (refusal) {
      session.on_auth_failure(*refusal, now);
    } else if (word == "challenge") {
      session.on_auth_challenge(rest, now);
    } else {
      session.on_auth_success(word == "success" ? rest : "user@example.com", now);
    }
  }

  Answerer answerer_;
  Answering answering_;
  std::string open_question_;
  std::string sent_;
  std::string body_;
  std::vector<std::string> trace_;
  std::optional<Reply> body_refusal_;
};

}  // namespace tapal::smtp
