#include "bench/traffic/sink_session.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace tapal::bench {
namespace {

constexpr std::string_view blank_line = "\r\n\r\n";

bool is_verb(std::string_view line, std::string_view verb) {
  const auto upper = [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; };
  return line.size() >= verb.size() &&
         std::equal(verb.begin(), verb.end(), line.begin(), [&](char wanted, char c) {
           return wanted == upper(c);
         });
}

}  // namespace

SinkSession::SinkSession(const SinkPolicy& policy, Tally& tally) : policy_(policy), tally_(tally) {}

SinkSession::Next SinkSession::on_bytes(std::string_view bytes, Instant now) {
  now_ = now;
  while (!bytes.empty()) {
    if (mode_ == Mode::data) {
      bytes.remove_prefix(take_data(bytes));
      continue;
    }
    if (mode_ == Mode::chunk) {
      bytes.remove_prefix(take_chunk(bytes));
      continue;
    }
    const auto end = bytes.find('\n');
    if (end == std::string_view::npos) {
      line_ += bytes;
      if (line_.size() <= line_bytes_max) break;
      replies_ += "500 5.5.2 line too long\r\n";
      return Next::close;
    }
    Next next = Next::read_more;
    if (line_.empty()) {
      next = on_line(bytes.substr(0, end));
    } else {
      line_ += bytes.substr(0, end);
      next = on_line(std::exchange(line_, {}));
    }
    bytes.remove_prefix(end + 1);
    // What came in clear after STARTTLS is dropped (RFC 3207 section 6).
    if (next != Next::read_more) return next;
  }
  return Next::read_more;
}

SinkSession::Next SinkSession::on_line(std::string_view line) {
  if (is_verb(line, "MAIL")) {
    recipients_ = 0;
    begin_header(line);
    replies_ += "250 2.1.0 ok\r\n";
  } else if (is_verb(line, "RCPT")) {
    on_rcpt();
  } else if (is_verb(line, "DATA")) {
    on_data();
  } else if (is_verb(line, "BDAT ")) {
    return on_bdat(line.substr(5));
  } else if (is_verb(line, "EHLO")) {
    hello();
  } else if (is_verb(line, "HELO") || is_verb(line, "NOOP")) {
    replies_ += "250 sink.example\r\n";
  } else if (is_verb(line, "RSET")) {
    recipients_ = 0;
    replies_ += "250 2.0.0 ok\r\n";
  } else if (is_verb(line, "STARTTLS") && policy_.starttls_offered && !tls_on_) {
    replies_ += "220 2.0.0 go on\r\n";
    return Next::start_tls;
  } else if (is_verb(line, "QUIT")) {
    replies_ += "221 2.0.0 bye\r\n";
    return Next::close;
  } else {
    replies_ += "502 5.5.1 not here\r\n";
  }
  return Next::read_more;
}

// The return path stands on top, where RFC 5321 section 4.4 wants it at a message's end.
void SinkSession::begin_header(std::string_view mail_command) {
  const auto line = mail_command.substr(0, line_bytes_max);
  const auto path = line.substr(std::min(line.find('<'), line.size()));
  header_ = "Return-Path: ";
  header_ += path.substr(0, path.find('>') + 1);
  header_ += "\r\n";
}

void SinkSession::hello() {
  replies_ +=
      "250-sink.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n"
      "250-ENHANCEDSTATUSCODES\r\n250-DSN\r\n";
  if (policy_.chunking_offered) replies_ += "250-CHUNKING\r\n";
  if (policy_.starttls_offered && !tls_on_) replies_ += "250-STARTTLS\r\n";
  replies_ += "250 SIZE 1073741824\r\n";
}

void SinkSession::on_rcpt() {
  if (policy_.defers) {
    ++tally_.deferred;
    replies_ += "451 4.7.1 come again later\r\n";
    return;
  }
  ++recipients_;
  replies_ += "250 2.1.5 ok\r\n";
}

void SinkSession::on_data() {
  if (recipients_ == 0) {
    replies_ += "503 5.5.1 no recipient\r\n";
    return;
  }
  replies_ += "354 go on\r\n";
  end_ = {};
  mode_ = Mode::data;
}

// RFC 3030 section 2. A chunk is read even when nobody is to get it.
SinkSession::Next SinkSession::on_bdat(std::string_view line) {
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), chunk_left_);
  if (error != std::errc()) {
    replies_ += "501 5.5.4 a number of bytes is wanted\r\n";
    return Next::close;  // where the next command begins is unknown
  }
  const auto rest = line.substr(static_cast<std::size_t>(end - line.data()));
  chunk_is_last_ = is_verb(rest, " LAST");
  mode_ = Mode::chunk;
  if (chunk_left_ == 0) take_chunk({});
  return Next::read_more;
}

std::size_t SinkSession::take_data(std::string_view bytes) {
  const auto end = end_.find(bytes);
  const auto taken = end.value_or(bytes.size());
  keep_header(bytes.substr(0, taken));
  message_bytes_ += taken;
  if (end) end_message();
  return taken;
}

std::size_t SinkSession::take_chunk(std::string_view bytes) {
  const auto taken = static_cast<std::size_t>(std::min<std::uint64_t>(chunk_left_, bytes.size()));
  keep_header(bytes.substr(0, taken));
  message_bytes_ += taken;
  chunk_left_ -= taken;
  if (chunk_left_ > 0) return taken;
  if (chunk_is_last_) {
    end_message();
  } else {
    mode_ = Mode::commands;
    replies_ += recipients_ == 0 ? "503 5.5.1 no recipient\r\n" : "250 2.0.0 ok\r\n";
  }
  return taken;
}

void SinkSession::keep_header(std::string_view piece) {
  if (header_complete_) return;
  const auto searched = header_.size() - std::min(header_.size(), blank_line.size());
  header_ += piece.substr(0, header_bytes_max - header_.size());
  const auto end = header_.find(blank_line, searched);
  if (end != std::string::npos) header_.resize(end + 2);
  header_complete_ = end != std::string::npos || header_.size() >= header_bytes_max;
}

void SinkSession::end_message() {
  mode_ = Mode::commands;
  if (recipients_ == 0) {
    replies_ += "503 5.5.1 no recipient\r\n";
  } else {
    tally_.add_message(header_, message_bytes_, now_);
    replies_ += "250 2.0.0 taken\r\n";
  }
  header_.clear();
  header_complete_ = false;
  message_bytes_ = 0;
  recipients_ = 0;
  if (policy_.on_message) policy_.on_message();
}

void SinkSession::on_tls_started() {
  tls_on_ = true;
  line_.clear();
}

}  // namespace tapal::bench
