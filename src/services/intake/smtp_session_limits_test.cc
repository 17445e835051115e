// What sessions do when there is no room, no time or no end.
#include <gtest/gtest.h>

#include "services/intake/smtp_session.h"
#include "services/intake/test_sessions.h"

namespace tapal::intake {
namespace {

using World = SessionsTestWorld;
using Peer = SessionsTestPeer;

TEST(SmtpSession, says_452_to_new_mail_while_the_queue_or_the_disk_is_full) {
  World w;
  w.start();
  Peer peer(w);
  peer.say("EHLO client.example\r\n");
  w.queue.is_full = true;
  EXPECT_TRUE(peer.say("MAIL FROM:<x@far.example>\r\n").starts_with("452 4.3.1"));
  w.queue.is_full = false;
  w.store.memory.fail_with(Error{Code::full, "no space"});
  EXPECT_TRUE(peer.say("MAIL FROM:<x@far.example>\r\n").starts_with("452 4.3.1"));
  w.store.memory.fail_with({});
  EXPECT_TRUE(peer.say("MAIL FROM:<x@far.example>\r\n").starts_with("250"));
  w.stop();
}

TEST(SmtpSession, turns_away_more_connections_than_are_allowed) {
  World w;
  w.start();
  Peer first(w);
  Peer second(w);
  Peer third(w);
  EXPECT_TRUE(third.hear().starts_with("421 4.7.0"));
  EXPECT_TRUE(third.is_closed());
  Peer other(w, Door::smtp, "198.51.100.1:1");
  EXPECT_TRUE(other.hear().starts_with("220"));
  Peer one_too_many(w, Door::smtp, "198.51.100.2:1");
  EXPECT_TRUE(one_too_many.hear().starts_with("421 4.3.2"));
  Peer under_tls(w, Door::submissions, "198.51.100.2:1");
  EXPECT_TRUE(under_tls.is_closed());
  EXPECT_EQ(w.connections.count(), 3U);
  first.say("QUIT\r\n");
  Peer again(w);
  EXPECT_TRUE(again.hear().starts_with("220"));
  w.stop();
}

TEST(SmtpSession, says_421_to_a_silent_client_and_closes) {
  World w;
  w.start();
  Peer peer(w);
  peer.say("EHLO client.example\r\n");
  w.loop.run_for(std::chrono::seconds(299));
  EXPECT_EQ(peer.hear(), "");
  w.loop.run_for(std::chrono::seconds(2));
  EXPECT_TRUE(peer.hear().starts_with("421 4.4.2"));
  EXPECT_TRUE(peer.is_closed());
  EXPECT_EQ(w.connections.count(), 0U);
  w.stop();
}

TEST(SmtpSession, takes_no_more_at_once_than_its_memory_holds) {
  World w;
  w.options.receiving_memory_max = 1'200;
  w.start();
  const std::string begin = "RSET\r\nMAIL FROM:<x@far.example>\r\nRCPT TO:<alice@own.example>\r\n";
  Peer slow(w);
  slow.say("EHLO client.example\r\n" + begin);
  EXPECT_TRUE(slow.say("DATA\r\n").starts_with("354"));
  slow.say(header + "X: " + std::string(600, 'x') + "\r\n");  // and no more for now
  Peer other(w);
  other.say("EHLO client.example\r\n" + begin);
  EXPECT_TRUE(other.say("DATA\r\n").starts_with("354"));
  const auto refused = other.say(header + "X: " + std::string(600, 'x') + "\r\n\r\nhello\r\n.\r\n");
  EXPECT_TRUE(refused.starts_with("452 4.3.1 too many messages")) << refused;
  EXPECT_TRUE(slow.say("\r\nhello\r\n.\r\n").starts_with("250 2.0.0 queued"));
  other.say(begin);
  other.say("DATA\r\n");
  const auto taken = other.say(header + "X: " + std::string(600, 'x') + "\r\n\r\nhello\r\n.\r\n");
  EXPECT_TRUE(taken.starts_with("250 2.0.0 queued")) << taken;
  EXPECT_EQ(w.queue.accepted.size(), 2U);
  w.stop();
}

TEST(SmtpSession, refuses_recipients_that_its_memory_does_not_hold) {
  World w;
  w.options.receiving_memory_max = 440;
  w.start();
  Peer peer(w);
  peer.say("EHLO client.example\r\nMAIL FROM:<x@far.example>\r\n");
  EXPECT_TRUE(peer.say("RCPT TO:<alice@own.example>\r\n").starts_with("250"));
  EXPECT_TRUE(peer.say("RCPT TO:<bob@own.example>\r\n").starts_with("250"));
  EXPECT_TRUE(
      peer.say("RCPT TO:<carol@own.example>\r\n").starts_with("452 4.3.1 too many messages"));
  peer.say("DATA\r\n");
  EXPECT_TRUE(peer.say("\r\n.\r\n").starts_with("250 2.0.0 queued"));
  EXPECT_EQ(w.queue.accepted.at(0).message.recipients.size(), 2U);
  w.stop();
}

TEST(SmtpSession, cuts_at_the_deadline_who_will_not_end) {
  World w;
  w.start();
  Peer peer(w);
  peer.say("EHLO client.example\r\nMAIL FROM:<x@far.example>\r\nRCPT TO:<alice@own.example>\r\n");
  peer.say("DATA\r\n");
  peer.say(header);  // and never more
  const auto begun = w.loop.now();
  w.stop();
  EXPECT_EQ(w.loop.now() - begun, std::chrono::seconds(5));
  EXPECT_TRUE(peer.is_closed());
  EXPECT_EQ(w.store.memory.size(), 0U);
}

}  // namespace
}  // namespace tapal::intake
