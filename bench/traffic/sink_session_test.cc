#include "bench/traffic/sink_session.h"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "bench/traffic/message.h"

namespace tapal::bench {
namespace {

const Instant now{std::chrono::hours(1)};

std::string stamped(std::uint64_t id) {
  Message message({.size = 600, .from = "a@a.example", .to = "b@b.example"});
  message.stamp({id, now});
  return std::string(message.bytes());
}
std::string without_dot(const std::string& message) {
  return message.substr(0, message.size() - 3);
}
std::string chunk(const std::string& bytes, const std::string& last = " LAST") {
  return "BDAT " + std::to_string(bytes.size()) + last + "\r\n" + bytes;
}

const std::string envelope = "MAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\n";
const std::string first = without_dot(stamped(0));

struct Case {
  std::string name;
  std::string client;
  std::string codes;  // of the replies after the greeting, by their first digits
  std::uint64_t messages = 0;
};

const std::vector<Case> cases{
    {"two messages with DATA",
     "EHLO x\r\n" + envelope + "DATA\r\n" + stamped(0) + envelope + "data\r\n" + stamped(1) +
         "QUIT\r\n",
     "250 250 250 354 250 250 250 354 250 221 ",
     2},
    {"one chunk", envelope + chunk(first) + "NOOP\r\n", "250 250 250 250 ", 1},
    {"several chunks, the last empty",
     envelope + chunk(first.substr(0, 100), "") + chunk(first.substr(100), "") +
         "bdat 0 last\r\nNOOP\r\n",
     "250 250 250 250 250 250 ",
     1},
    {"DATA without a recipient", "MAIL FROM:<>\r\nDATA\r\nQUIT\r\n", "250 503 221 ", 0},
    {"a chunk without a recipient",
     "MAIL FROM:<>\r\n" + chunk(first) + "QUIT\r\n",
     "250 503 221 ",
     0},
    {"RSET", envelope + "RSET\r\nDATA\r\n", "250 250 250 503 ", 0},
    {"no such command", "HELP\r\nSTARTTLS\r\n", "502 502 ", 0},
    {"no number in BDAT", envelope + "BDAT x\r\nMAIL FROM:<>\r\n", "250 250 501 ", 0},
};

struct Played {
  std::string codes;
  Tally tally;
};

Played play(const std::string& client, std::size_t piece, const SinkPolicy& policy = {}) {
  Played played;
  SinkSession session(policy, played.tally);
  std::string replies;
  session.take_replies();
  for (std::size_t at = 0; at < client.size(); at += piece) {
    const auto next = session.on_bytes(std::string_view(client).substr(at, piece), now);
    replies += session.take_replies();
    if (next == SinkSession::Next::close) break;
  }
  for (std::size_t at = 0; at < replies.size(); at = replies.find('\n', at) + 1)
    if (replies[at + 3] == ' ') played.codes += replies.substr(at, 4);
  return played;
}

TEST(SinkSession, answers_and_counts_however_the_bytes_are_cut) {
  for (const auto& one : cases) {
    for (const std::size_t piece : {1U, 2U, 3U, 7U, 64U, 599U, 1U << 20U}) {
      const auto played = play(one.client, piece);
      EXPECT_EQ(played.codes, one.codes) << one.name << " in pieces of " << piece;
      EXPECT_EQ(played.tally.messages(), one.messages) << one.name << " in pieces of " << piece;
      EXPECT_EQ(played.tally.distinct(), one.messages) << one.name << " in pieces of " << piece;
    }
  }
}

TEST(SinkSession, keeps_the_last_header_under_its_return_path) {
  const std::string header = first.substr(0, first.find("\r\n\r\n") + 2);
  const auto sent = envelope + chunk(first) + "MAIL FROM:<x=y@c.example> SIZE=9\r\n" +
                    "RCPT TO:<b@b.example>\r\nDATA\r\n" + stamped(0);
  for (const std::size_t piece : {1U, 64U, 1U << 20U}) {
    const auto played = play(sent, piece);
    EXPECT_EQ(played.tally.messages(), 2U);
    EXPECT_EQ(played.tally.last_header(), "Return-Path: <x=y@c.example>\r\n" + header) << piece;
  }
  const std::string endless = "<" + std::string(5000, 'a') + ">";
  for (const auto& [path, kept] : std::vector<std::pair<std::string, std::string>>{
           {"<>", "<>"}, {"a@a.example", ""}, {"<a", ""}, {endless, ""}}) {
    const auto client = "MAIL FROM:" + path + "\r\nRCPT TO:<b@b.example>\r\n" + chunk(first);
    EXPECT_EQ(play(client, client.size()).tally.last_header(),
              "Return-Path: " + kept + "\r\n" + header);
  }
}

TEST(SinkSession, defers_every_recipient_when_told) {
  const SinkPolicy policy{.defers = true};
  const auto played = play(envelope + "DATA\r\n", 100, policy);
  EXPECT_EQ(played.codes, "250 451 503 ");
  EXPECT_EQ(played.tally.deferred, 1U);
}

TEST(SinkSession, offers_what_the_policy_says) {
  Tally tally;
  SinkPolicy policy{.starttls_offered = true, .chunking_offered = false};
  SinkSession session(policy, tally);
  EXPECT_EQ(session.take_replies(), "220 sink.example ESMTP\r\n");
  session.on_bytes("EHLO x\r\n", now);
  const auto replies = session.take_replies();
  EXPECT_NE(replies.find("250-STARTTLS\r\n"), std::string::npos);
  EXPECT_EQ(replies.find("CHUNKING"), std::string::npos);
  EXPECT_EQ(session.on_bytes("STARTTLS\r\nMAIL FROM:<>\r\n", now), SinkSession::Next::start_tls);
  EXPECT_EQ(session.take_replies(), "220 2.0.0 go on\r\n");
  session.on_tls_started();
  session.on_bytes("EHLO x\r\n", now);
  EXPECT_EQ(session.take_replies().find("STARTTLS"), std::string::npos);
}

TEST(SinkSession, does_not_keep_a_line_without_end) {
  Tally tally;
  const SinkPolicy policy;
  SinkSession session(policy, tally);
  const std::string piece(1000, 'x');
  auto next = SinkSession::Next::read_more;
  for (int i = 0; i < 10 && next == SinkSession::Next::read_more; ++i)
    next = session.on_bytes(piece, now);
  EXPECT_EQ(next, SinkSession::Next::close);
}

TEST(SinkSession, does_not_keep_a_header_without_end) {
  Tally tally;
  const SinkPolicy policy;
  SinkSession session(policy, tally);
  session.on_bytes(envelope + "DATA\r\n", now);
  for (int i = 0; i < 1000; ++i) session.on_bytes("X: " + std::string(995, 'x') + "\r\n", now);
  session.on_bytes(".\r\n", now);
  EXPECT_EQ(tally.messages(), 1U);
}

}  // namespace
}  // namespace tapal::bench
