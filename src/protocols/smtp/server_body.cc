// DATA and BDAT of ServerSession: the message on its way in.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "protocols/smtp/server_session.h"

namespace tapal::smtp {
namespace {

Reply no_message(bool sender_known, bool recipient_tried) {
  if (!sender_known)
    return make_reply(503, "5.5.1", "Send MAIL and RCPT first (RFC 5321 section 4.1.4)");
  if (!recipient_tried) return make_reply(503, "5.5.1", "Send RCPT first (RFC 5321 section 4.1.4)");
  return make_reply(554, "5.5.1", "No recipient was taken (RFC 5321 section 3.3)");
}

Reply too_big(std::uint64_t bytes_max) {
  return make_reply(
      552,
      "5.3.4",
      fmt::format("The message is larger than {} bytes (RFC 1870 section 6.3)", bytes_max));
}

bool is_line_ending(Violation violation) {
  return violation == Violation::bare_cr || violation == Violation::bare_lf;
}

Reply reply_to(Violation violation, const ServerLimits& limits) {
  switch (violation) {
    case Violation::none: break;
    case Violation::line_too_long:
      return make_reply(550,
                        "5.6.0",
                        fmt::format("A line of the message is longer than {} characters (RFC 5321 "
                                    "section 4.5.3.1.6); encode it as quoted-printable or base64",
                                    limits.text_line_bytes));
    case Violation::nul:
      return make_reply(
          550, "5.6.0", "The message has a NUL byte (RFC 2045 section 2.8); encode it as base64");
    case Violation::header_too_big:
      return make_reply(
          552,
          "5.3.4",
          fmt::format("The message's header is larger than {} bytes", limits.header_bytes));
    case Violation::message_too_big: return too_big(limits.message_bytes);
    case Violation::bare_cr:
      return make_reply(550,
                        "5.5.2",
                        "The message has a CR without LF; lines end in CRLF (RFC 5321 section "
                        "2.3.8). Repair the sending program; closing the connection");
    case Violation::bare_lf:
      return make_reply(550,
                        "5.5.2",
                        "The message has a LF without CR; lines end in CRLF (RFC 5321 section "
                        "2.3.8). Repair the sending program; closing the connection");
  }
  return make_reply(451, "4.3.0", "The message could not be read");
}

}  // namespace

void ServerSession::run_data(std::string_view argument) {
  if (!argument.empty())
    return error(make_reply(501, "5.5.4", "DATA takes no argument (RFC 5321 section 4.1.1.4)"));
  if (transaction_.chunked)
    return error(
        make_reply(503, "5.5.1", "BDAT has begun; DATA and BDAT do not mix (RFC 3030 section 2)"));
  if (transaction_.envelope.recipients.empty())
    return error(no_message(transaction_.sender_known, transaction_.recipient_tried));
  if (transaction_.envelope.body == mail::BodyType::binary_mime)
    return error(
        make_reply(503, "5.5.1", "BODY=BINARYMIME is sent with BDAT only (RFC 3030 section 3)"));
  open_body(DataReader::Format::dot_stuffed);
  phase_ = Phase::data;
  say(make_reply(354, "", "Send the message, then CRLF.CRLF"));
}

void ServerSession::open_body(DataReader::Format format) {
  const ServerLimits& limits = options_.limits;
  reader_ = DataReader(format, {limits.text_line_bytes, limits.header_bytes, limits.message_bytes});
  transaction_.body_open = true;
}

void ServerSession::run_bdat(std::string_view argument) {
  const auto command = parse_bdat(argument);
  if (!command) return close_with(command.error());
  chunk_left_ = command->bytes;
  chunk_bytes_ = command->bytes;
  chunk_is_last_ = command->last;
  if (command->bytes == 0 && !command->last && !may_idle()) return;
  if (transaction_.envelope.recipients.empty() || !esmtp_)
    return skip_chunk(no_message(transaction_.sender_known, transaction_.recipient_tried));
  // Checked so that no sum can overflow.
  const ServerLimits& limits = options_.limits;
  if (chunk_left_ > limits.message_bytes ||
      transaction_.raw_bytes > limits.message_bytes - chunk_left_) {
    reset_transaction();
    return skip_chunk(too_big(limits.message_bytes));
  }
  if (!transaction_.chunked) {
    open_body(transaction_.envelope.body == mail::BodyType::binary_mime
                  ? DataReader::Format::binary
                  : DataReader::Format::lines);
    transaction_.chunked = true;
  }
  phase_ = Phase::chunk;
}

// RFC 3030 section 2: the bytes of a refused chunk still come, and are read over.
void ServerSession::skip_chunk(Reply reply) {
  if (chunk_left_ > options_.limits.discarded_bytes) return close_with(reply);
  chunk_refusal_ = std::move(reply);
  phase_ = Phase::skipped_chunk;
}

bool ServerSession::step_skipped_chunk() {
  const std::uint64_t bytes = std::min<std::uint64_t>(unread().size(), chunk_left_);
  read_ += bytes;
  scanned_ = read_;
  chunk_left_ -= bytes;
  if (chunk_left_ > 0) return false;
  phase_ = Phase::commands;
  error(chunk_refusal_);
  return true;
}

bool ServerSession::step_chunk() {
  if (chunk_left_ > 0) {
    if (unread().empty()) return false;
    take_body(std::min<std::uint64_t>(unread().size(), chunk_left_));
    return true;
  }
  if (chunk_is_last_) {
    finish_body();
    return true;
  }
  phase_ = Phase::commands;
  if (!give_body_refusal())
    say(make_reply(250, "2.0.0", fmt::format("{} bytes taken", chunk_bytes_)));
  return true;
}

bool ServerSession::step_data() {
  if (reader_.ended()) {
    finish_body();
    return true;
  }
  if (unread().empty()) return false;
  take_body(unread().size());
  return true;
}

// Bytes go out one step before the body ends, so that on_body_refused() comes in time.
void ServerSession::take_body(std::size_t bytes) {
  std::string decoded;
  decoded.reserve(bytes);
  const std::size_t taken = reader_.read(unread().substr(0, bytes), decoded);
  read_ += taken;
  scanned_ = read_;
  transaction_.raw_bytes += taken;
  if (phase_ == Phase::chunk) {
    chunk_left_ -= taken;
    if (chunk_left_ == 0 && chunk_is_last_) reader_.finish(decoded);
  }
  const bool is_refused = reader_.violation() != Violation::none;
  if (is_refused) abandon_body();
  if (transaction_.body_open && !decoded.empty())
    actions_.emplace_back(BodyBytes{std::move(decoded)});
  const ServerLimits& limits = options_.limits;
  if ((is_refused || transaction_.refusal) &&
      transaction_.raw_bytes > limits.message_bytes + limits.discarded_bytes)
    close_with(too_big(limits.message_bytes));
}

void ServerSession::on_body_refused(Reply refusal, Instant now) {
  if (question_ == Question::store) return on_stored(refusal, now);
  if (!transaction_.body_open) return;
  transaction_.refusal = std::move(refusal);
  abandon_body();
}

bool ServerSession::give_body_refusal() {
  const Violation violation = reader_.violation();
  if (violation == Violation::none && !transaction_.refusal) return false;
  const Reply reply = violation != Violation::none ? reply_to(violation, options_.limits)
                                                   : transaction_.refusal.value_or(Reply{});
  reset_transaction();
  if (is_line_ending(violation)) {
    close_with(reply);  // the two sides may disagree about where the message ended
  } else {
    say_answer(reply);
  }
  return true;
}

void ServerSession::finish_body() {
  phase_ = Phase::commands;
  if (give_body_refusal()) return;
  transaction_.body_open = false;  // its fate is in the hands of whoever stores it
  ask(Question::store, AskStore{transaction_.envelope, reader_.decoded_bytes()});
}

void ServerSession::on_stored(const Reply& reply, Instant now) {
  if (!answered(Question::store, now)) return;
  transaction_ = {};
  if (is_positive(reply)) errors_ = idle_commands_ = 0;
  say_answer(reply);
}

}  // namespace tapal::smtp
