// What the dialogues of tests/dialogs cannot say: times, the shape of actions, calls out of turn.
#include "protocols/smtp/server_session.h"

#include <variant>
#include <vector>

#include <gtest/gtest.h>

namespace tapal::smtp {
namespace {

using namespace std::chrono_literals;
constexpr Instant t0{};

ServerOptions plain_options() {
  ServerOptions options;
  options.hostname = "mx.example";
  return options;
}

ServerOptions starttls_options() {
  ServerOptions options = plain_options();
  options.tls = ServerTls::starttls;
  return options;
}

std::vector<ServerAction> drained(ServerSession& session) {
  std::vector<ServerAction> actions;
  while (auto action = session.next_action()) actions.push_back(*std::move(action));
  return actions;
}

std::string sent(const std::vector<ServerAction>& actions) {
  std::string bytes;
  for (const ServerAction& action : actions)
    if (const auto* send = std::get_if<Send>(&action)) bytes += send->bytes;
  return bytes;
}

template <class Wanted>
bool has(const std::vector<ServerAction>& actions) {
  for (const ServerAction& action : actions)
    if (std::holds_alternative<Wanted>(action)) return true;
  return false;
}

TEST(ServerSession, gathers_the_replies_of_a_group_into_one_send) {
  ServerSession session(plain_options(), t0);
  drained(session);
  session.on_bytes("EHLO c\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n", t0);
  ASSERT_TRUE(std::holds_alternative<AskSender>(*session.next_action()));
  session.on_sender({}, t0);
  ASSERT_TRUE(std::holds_alternative<AskRecipient>(*session.next_action()));
  session.on_recipient({}, t0);
  const auto rest = drained(session);
  ASSERT_EQ(rest.size(), 1u);
  EXPECT_NE(sent(rest).find("\r\n250 2.1.0 Sender taken\r\n250 2.1.5 Recipient taken\r\n354 "),
            std::string::npos);
}

TEST(ServerSession, lets_no_reply_wait_for_slow_answers) {
  ServerSession session(plain_options(), t0);
  drained(session);
  session.on_bytes("EHLO c\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n", t0);
  ASSERT_TRUE(std::holds_alternative<AskSender>(*session.next_action()));
  session.on_sender({}, t0 + 2s);
  EXPECT_TRUE(std::holds_alternative<Send>(*session.next_action()));
  EXPECT_TRUE(std::holds_alternative<AskRecipient>(*session.next_action()));
}

TEST(ServerSession, gives_replies_out_when_an_answer_is_not_at_hand) {
  ServerSession session(plain_options(), t0);
  drained(session);
  session.on_bytes("EHLO c\r\nMAIL FROM:<a@b>\r\n", t0);
  const auto actions = drained(session);
  ASSERT_EQ(actions.size(), 2u);
  EXPECT_TRUE(std::holds_alternative<AskSender>(actions[0]));
  EXPECT_TRUE(std::holds_alternative<Send>(actions[1]));
  EXPECT_FALSE(session.wants_bytes());
  EXPECT_EQ(session.deadline(), never);
}

TEST(ServerSession, never_interprets_clear_bytes_that_come_after_the_220_of_starttls) {
  ServerSession session(starttls_options(), t0);
  drained(session);
  session.on_bytes("EHLO c\r\nSTARTTLS\r\n", t0);
  const auto actions = drained(session);
  EXPECT_TRUE(has<StartTls>(actions));
  session.on_bytes("MAIL FROM:<evil@b>\r\n", t0);
  const auto after = drained(session);
  ASSERT_EQ(after.size(), 1u);
  EXPECT_TRUE(std::holds_alternative<Close>(after[0]));
  session.on_tls({"TLSv1.3", "x"}, t0);
  EXPECT_TRUE(drained(session).empty());
}

TEST(ServerSession, tells_what_tls_came_to) {
  ServerSession session(starttls_options(), t0);
  drained(session);
  session.on_bytes("EHLO c\r\nSTARTTLS\r\n", t0);
  drained(session);
  session.on_tls({"TLSv1.3", "TLS_AES_128_GCM_SHA256"}, t0);
  EXPECT_TRUE(session.helo().empty());
  session.on_bytes("EHLO d\r\n", t0);
  drained(session);
  EXPECT_EQ(session.tls(), (TlsFacts{"TLSv1.3", "TLS_AES_128_GCM_SHA256"}));
  EXPECT_EQ(session.helo(), "d");
  EXPECT_EQ(session.with_protocol(), "ESMTPS");
}

TEST(ServerSession, takes_the_facts_of_implicit_tls_before_its_greeting) {
  ServerOptions options = plain_options();
  options.tls = ServerTls::implicit_tls;
  ServerSession session(options, t0);
  session.on_tls({"TLSv1.2", "x"}, t0);
  EXPECT_TRUE(sent(drained(session)).starts_with("220 "));
  EXPECT_EQ(session.tls()->version, "TLSv1.2");
  session.on_tls({"TLSv1.3", "y"}, t0);
  EXPECT_EQ(session.tls()->version, "TLSv1.2");
}

TEST(ServerSession, lets_a_dripping_client_gain_no_time) {
  ServerSession session(plain_options(), t0);
  drained(session);
  EXPECT_EQ(session.deadline(), t0 + 300s);
  session.on_bytes("NO", t0 + 200s);
  drained(session);
  EXPECT_EQ(session.deadline(), t0 + 300s);
  session.on_bytes("OP\r\n", t0 + 250s);
  drained(session);
  EXPECT_EQ(session.deadline(), t0 + 550s);
}

TEST(ServerSession, ends_after_the_longest_session) {
  ServerSession session(plain_options(), t0);
  drained(session);
  for (int minute = 4; minute < 60; minute += 4) {
    session.on_bytes("NOOP\r\n", t0 + std::chrono::minutes(minute));
    drained(session);
  }
  EXPECT_EQ(session.deadline(), t0 + 3600s);
  session.on_time(t0 + 3600s);
  const auto actions = drained(session);
  EXPECT_TRUE(sent(actions).starts_with("421 4.4.2 This session has lasted 3600 s"));
  EXPECT_TRUE(has<Close>(actions));
  EXPECT_EQ(session.deadline(), never);
}

TEST(ServerSession, has_no_deadline_of_its_own_while_a_message_is_stored) {
  ServerSession session(plain_options(), t0);
  drained(session);
  session.on_bytes("EHLO c\r\nMAIL FROM:<a@b>\r\n", t0);
  drained(session);
  session.on_sender({}, t0);
  session.on_bytes("RCPT TO:<c@d>\r\nBDAT 0 LAST\r\n", t0);
  drained(session);
  session.on_recipient({}, t0);
  EXPECT_TRUE(has<AskStore>(drained(session)));
  session.on_time(t0 + 10'000s);
  session.on_shutdown();
  EXPECT_TRUE(drained(session).empty());
  session.on_stored(make_reply(250, "2.0.0", "queued as 1"), t0 + 10'000s);
  EXPECT_EQ(sent(drained(session)),
            "250 2.0.0 queued as 1\r\n421 4.3.2 The server is stopping; try again in a moment\r\n");
}

TEST(ServerSession, counts_speaking_before_the_greeting_as_an_error) {
  ServerOptions options = plain_options();
  options.limits.errors = 2;
  ServerSession session(options, t0);
  session.on_bytes("EHLO c\r\nXYZ\r\n", t0);
  const std::string said = sent(drained(session));
  EXPECT_TRUE(said.starts_with("220 "));
  EXPECT_NE(said.find("421 4.7.0 Too many errors"), std::string::npos);
}

TEST(ServerSession, bounds_what_is_sent_ahead) {
  ServerOptions options = plain_options();
  options.limits.unread_bytes = 100;
  ServerSession session(options, t0);
  drained(session);
  session.on_bytes("EHLO c\r\nMAIL FROM:<a@b>\r\n", t0);
  drained(session);
  session.on_bytes(std::string(101, 'x'), t0);
  EXPECT_TRUE(sent(drained(session)).starts_with("421 4.3.2 "));
  EXPECT_TRUE(session.is_closed());
}

TEST(ServerSession, ignores_answers_that_nobody_asked_for) {
  ServerSession session(plain_options(), t0);
  drained(session);
  session.on_sender({}, t0);
  session.on_recipient({}, t0);
  session.on_stored(make_reply(250, "2.0.0", "x"), t0);
  session.on_auth_success("u", t0);
  session.on_auth_challenge("u", t0);
  session.on_auth_failure(make_reply(535, "5.7.8", "x"), t0);
  session.on_body_refused(make_reply(452, "4.3.1", "x"), t0);
  session.on_tls({}, t0);
  EXPECT_TRUE(drained(session).empty());
  EXPECT_TRUE(session.user().empty());
  EXPECT_FALSE(session.tls());
}

TEST(ServerSession, streams_a_large_message_in_bounded_pieces) {
  ServerSession session(plain_options(), t0);
  drained(session);
  session.on_bytes("EHLO c\r\nMAIL FROM:<a@b>\r\n", t0);
  drained(session);
  session.on_sender({}, t0);
  session.on_bytes("RCPT TO:<c@d>\r\nDATA\r\n", t0);
  drained(session);
  session.on_recipient({}, t0);
  drained(session);
  std::string piece;
  while (piece.size() < 60'000) piece += "\r\n" + std::string(70, 'a');
  std::size_t most = 0;
  std::uint64_t total = 0;
  const auto count = [&] {
    for (const ServerAction& action : drained(session))
      if (const auto* body = std::get_if<BodyBytes>(&action)) {
        most = std::max(most, body->bytes.size());
        total += body->bytes.size();
      } else if (const auto* store = std::get_if<AskStore>(&action)) {
        EXPECT_EQ(store->body_bytes, total);
      }
  };
  for (int at = 0; at < 200; ++at) {
    session.on_bytes(piece, t0);
    count();
  }
  session.on_bytes("\r\n.\r\n", t0);
  count();
  EXPECT_LE(most, piece.size() + 2);
  EXPECT_EQ(total, 200 * piece.size() + 2);
}

TEST(ServerSession, refuses_the_rest_of_a_body_that_cannot_be_kept_even_when_it_is_all_there) {
  ServerSession session(plain_options(), t0);
  drained(session);
  session.on_bytes("EHLO c\r\nMAIL FROM:<a@b>\r\n", t0);
  drained(session);
  session.on_sender({}, t0);
  session.on_bytes("RCPT TO:<c@d>\r\nBDAT 4 LAST\r\nab\r\n", t0);
  drained(session);
  session.on_recipient({}, t0);
  ASSERT_TRUE(std::holds_alternative<BodyBytes>(*session.next_action()));
  session.on_body_refused(make_reply(452, "4.3.1", "Disk full"), t0);
  const auto actions = drained(session);
  EXPECT_TRUE(has<AbandonBody>(actions));
  EXPECT_FALSE(has<AskStore>(actions));
  EXPECT_TRUE(sent(actions).ends_with("452 4.3.1 Disk full\r\n"));
}

}  // namespace
}  // namespace tapal::smtp
