#include "services/intake/smtp_session.h"

#include <gtest/gtest.h>

#include "services/intake/test_sessions.h"
#include "values/text/base64.h"

namespace tapal::intake {
namespace {

using World = SessionsTestWorld;
using Peer = SessionsTestPeer;

TEST(SmtpSession, commits_a_message_before_it_says_250_and_queues_it_once) {
  World w;
  w.start();
  Peer peer(w);
  EXPECT_TRUE(peer.hear().starts_with("220 mx.own.example"));
  peer.say("EHLO client.example\r\n");
  EXPECT_TRUE(peer.say("MAIL FROM:<x@far.example>\r\n").starts_with("250"));
  EXPECT_TRUE(peer.say("RCPT TO:<alice@own.example>\r\n").starts_with("250"));
  EXPECT_TRUE(peer.say("DATA\r\n").starts_with("354"));
  w.store.held = true;
  EXPECT_EQ(peer.say(header + "\r\nhello\r\n.\r\n"), "");
  EXPECT_EQ(w.queue.accepted.size(), 0U);
  w.queue.on_accept = [&w] { EXPECT_EQ(w.store.memory.synced_commits(), 1U); };
  w.store.held = false;
  w.loop.run_for(std::chrono::milliseconds(5));
  ASSERT_EQ(w.queue.accepted.size(), 1U);
  const auto& kept = w.queue.accepted[0];
  EXPECT_EQ(peer.hear(), "250 2.0.0 queued as " + kept.message.id.text() + "\r\n");
  EXPECT_TRUE(kept.text.ends_with(header + "\r\nhello\r\n"));
  EXPECT_EQ(w.store.memory.load(kept.message.id).value(), kept.message);
  EXPECT_EQ(kept.message.envelope.return_path, address("x@far.example"));
  EXPECT_EQ(w.log.count("message accepted"), 1U);
  EXPECT_TRUE(peer.say("QUIT\r\n").starts_with("221"));
  EXPECT_TRUE(peer.is_closed());
  w.stop();
}

TEST(SmtpSession, queues_nothing_that_was_not_committed) {
  struct Case {
    Error error;
    std::string_view reply;
  };
  for (const auto& c : {Case{{Code::full, "no space"}, "452 4.3.1"},
                        Case{{Code::internal, "broken"}, "451 4.3.0"}}) {
    World w;
    w.start();
    Peer peer(w);
    peer.say("EHLO client.example\r\nMAIL FROM:<x@far.example>\r\nRCPT TO:<alice@own.example>\r\n");
    peer.say("DATA\r\n");
    w.store.held = true;
    peer.say(header + "\r\nhello\r\n.\r\n");
    w.store.memory.fail_with(c.error);  // after the last byte, before the commit
    w.store.held = false;
    w.loop.run_for(std::chrono::milliseconds(5));
    EXPECT_TRUE(peer.hear().starts_with(c.reply));
    EXPECT_TRUE(w.queue.accepted.empty());
    EXPECT_EQ(w.store.memory.size(), 0U);
    // The session goes on, and the same message is taken when the disk is well.
    w.store.memory.fail_with({});
    peer.say("MAIL FROM:<x@far.example>\r\nRCPT TO:<alice@own.example>\r\nDATA\r\n");
    EXPECT_TRUE(peer.say(header + "\r\nhello\r\n.\r\n").starts_with("250"));
    EXPECT_EQ(w.queue.accepted.size(), 1U);
    w.stop();
  }
}

TEST(SmtpSession, refuses_the_rest_of_a_body_the_disk_has_no_room_for) {
  World w;
  w.start();
  Peer peer(w);
  peer.say("EHLO client.example\r\nMAIL FROM:<x@far.example>\r\nRCPT TO:<alice@own.example>\r\n");
  peer.say("DATA\r\n");
  peer.say(header + "\r\nhello\r\n");
  w.store.memory.fail_with(Error{Code::full, "no space"});
  EXPECT_EQ(peer.say("more\r\n"), "");
  w.store.memory.fail_with({});
  EXPECT_TRUE(peer.say("still more\r\n.\r\n").starts_with("452 4.3.1"));
  EXPECT_EQ(w.queue.accepted.size(), 0U);
  EXPECT_EQ(w.store.memory.size(), 0U);
  w.stop();
}

TEST(SmtpSession, leaves_nothing_of_a_client_that_goes_away_anywhere) {
  const std::string dialogue =
      "EHLO client.example\r\nMAIL FROM:<x@far.example>\r\nRCPT TO:<alice@own.example>\r\n"
      "DATA\r\n" +
      header + "\r\nhello\r\n.\r\n";
  for (std::size_t at = 0; at < dialogue.size(); ++at) {
    World w;
    w.start();
    Peer peer(w);
    peer.stream->cut_after(at);
    peer.say(dialogue);
    w.loop.run();
    ASSERT_EQ(w.sessions->count(), 0U) << at;
    ASSERT_EQ(w.connections.count(), 0U) << at;
    ASSERT_EQ(w.store.memory.size(), 0U) << at;
    ASSERT_TRUE(w.queue.accepted.empty()) << at;
  }
}

TEST(SmtpSession, queues_a_message_whose_client_did_not_wait_for_the_answer) {
  World w;
  w.start();
  Peer peer(w);
  peer.say("EHLO client.example\r\nMAIL FROM:<x@far.example>\r\nRCPT TO:<alice@own.example>\r\n");
  peer.say("DATA\r\n");
  w.store.held = true;
  peer.say(header + "\r\nhello\r\n.\r\n");
  peer.stream->close();
  w.store.held = false;
  w.loop.run_for(std::chrono::milliseconds(5));
  EXPECT_EQ(w.store.memory.size(), 1U);
  EXPECT_EQ(w.queue.accepted.size(), 1U);
  w.stop();
}

TEST(SmtpSession, gives_each_user_one_copy_whatever_aliases_lead_there) {
  World w;
  w.start();
  Peer peer(w);
  peer.say("EHLO client.example\r\nMAIL FROM:<x@far.example>\r\n");
  EXPECT_TRUE(peer.say("RCPT TO:<info@own.example>\r\n").starts_with("250"));
  EXPECT_TRUE(peer.say("RCPT TO:<team@own.example>\r\n").starts_with("250"));
  EXPECT_TRUE(peer.say("RCPT TO:<Alice+x@own.example>\r\n").starts_with("250"));
  EXPECT_TRUE(peer.say("RCPT TO:<nobody@own.example>\r\n").starts_with("550 5.1.1"));
  EXPECT_TRUE(peer.say("RCPT TO:<y@other.example>\r\n").starts_with("550 5.7.1"));
  peer.say("DATA\r\n");
  EXPECT_TRUE(peer.say(header + "\r\nhello\r\n.\r\n").starts_with("250"));
  ASSERT_EQ(w.queue.accepted.size(), 1U);
  std::string to;
  for (const auto& state : w.queue.accepted[0].message.recipients)
    to += state.recipient.address.text() + " ";
  EXPECT_EQ(to, "alice@own.example bob@own.example carol@own.example ");
  // Recipients of one transaction do not reach the next.
  peer.say("MAIL FROM:<x@far.example>\r\nRCPT TO:<bob@own.example>\r\nRSET\r\n");
  peer.say("MAIL FROM:<x@far.example>\r\nRCPT TO:<carol@own.example>\r\nDATA\r\n");
  EXPECT_TRUE(peer.say(header + "\r\nhello\r\n.\r\n").starts_with("250"));
  ASSERT_EQ(w.queue.accepted.size(), 2U);
  ASSERT_EQ(w.queue.accepted[1].message.recipients.size(), 1U);
  EXPECT_NE(w.queue.accepted[0].message.id, w.queue.accepted[1].message.id);
  w.stop();
}

std::string plain(std::string_view user, std::string_view password) {
  std::string text;
  text += '\0';
  text += user;
  text += '\0';
  text += password;
  return "AUTH PLAIN " + text::to_base64(text) + "\r\n";
}

TEST(SmtpSession, lets_users_submit_under_tls_only) {
  World w;
  w.start();
  for (const auto door : {Door::submission, Door::submissions}) {
    Peer peer(w, door);
    if (door == Door::submission) {
      EXPECT_FALSE(peer.say("EHLO client.example\r\n").contains("AUTH"));
      EXPECT_FALSE(peer.say(plain("alice@own.example", "alice's secret")).starts_with("235"));
      EXPECT_TRUE(peer.say("STARTTLS\r\n").starts_with("220"));
    }
    peer.handshake();
    EXPECT_TRUE(peer.say("EHLO client.example\r\n").contains("AUTH"));
    EXPECT_TRUE(peer.say("MAIL FROM:<alice@own.example>\r\n").starts_with("530"));
    EXPECT_TRUE(peer.say(plain("alice@own.example", "wrong")).starts_with("535 5.7.8"));
    EXPECT_TRUE(peer.say(plain("alice@own.example", "alice's secret")).starts_with("235"));
    EXPECT_TRUE(peer.say("MAIL FROM:<bob@own.example>\r\n").starts_with("550 5.7.1"));
    EXPECT_TRUE(peer.say("MAIL FROM:<alice@own.example>\r\n").starts_with("250"));
    EXPECT_TRUE(peer.say("RCPT TO:<y@other.example>\r\n").starts_with("250"));
    peer.say("DATA\r\n");
    EXPECT_TRUE(peer.say("From: bob@own.example\r\n\r\nx\r\n.\r\n").starts_with("550 5.7.1"));
    peer.say("MAIL FROM:<alice@own.example>\r\nRCPT TO:<y@other.example>\r\nDATA\r\n");
    EXPECT_TRUE(peer.say("From: alice@own.example\r\n\r\nx\r\n.\r\n").starts_with("250"));
  }
  ASSERT_EQ(w.queue.accepted.size(), 2U);
  EXPECT_TRUE(w.queue.accepted[0].text.contains("TLSv1.3"));
  EXPECT_EQ(w.queue.accepted[0].message.origin.user, "alice@own.example");
  EXPECT_EQ(w.log.count("login"), 2U);
  EXPECT_EQ(w.log.count("login failed"), 2U);
  for (const auto& entry : w.log.entries)
    for (const auto& [name, value] : entry.fields) EXPECT_FALSE(value.contains("secret")) << name;
  w.stop();
}

TEST(SmtpSession, lets_a_trusted_network_relay_on_port_25) {
  World w;
  w.options.trusted_networks = {IpNetwork::from_text("192.0.2.0/24").value()};
  w.start();
  Peer trusted(w);
  trusted.say("EHLO client.example\r\nMAIL FROM:<x@far.example>\r\n");
  EXPECT_TRUE(trusted.say("RCPT TO:<y@other.example>\r\n").starts_with("250"));
  Peer stranger(w, Door::smtp, "198.51.100.1:4000");
  stranger.say("EHLO client.example\r\nMAIL FROM:<x@far.example>\r\n");
  EXPECT_TRUE(stranger.say("RCPT TO:<y@other.example>\r\n").starts_with("550 5.7.1"));
  trusted.say("QUIT\r\n");
  stranger.say("QUIT\r\n");
  w.stop();
}

TEST(SmtpSession, says_421_when_it_stops_and_lets_a_message_on_its_way_finish) {
  World w;
  w.start();
  Peer idle(w);
  idle.say("EHLO client.example\r\n");
  Peer storing(w);
  storing.say(
      "EHLO client.example\r\nMAIL FROM:<x@far.example>\r\nRCPT TO:<alice@own.example>\r\n");
  storing.say("DATA\r\n");
  w.store.held = true;
  storing.say(header + "\r\nhello\r\n.\r\n");
  bool stopped = false;
  TaskGroup group;
  const auto stop = [](World& in, bool& done) -> Task<void> {
    co_await in.sessions->stop(in.loop.now() + std::chrono::seconds(5));
    done = true;
  };
  group.spawn(stop(w, stopped));
  w.loop.run();
  EXPECT_TRUE(idle.hear().starts_with("421 4.3.2"));
  EXPECT_TRUE(idle.is_closed());
  EXPECT_FALSE(stopped);
  w.store.held = false;
  w.loop.run_for(std::chrono::milliseconds(5));
  const auto answer = storing.hear();
  EXPECT_TRUE(answer.starts_with("250 2.0.0 queued")) << answer;
  EXPECT_TRUE(answer.contains("\r\n421 4.3.2")) << answer;
  EXPECT_TRUE(stopped);
  EXPECT_EQ(w.queue.accepted.size(), 1U);
}

TEST(SmtpSession, takes_no_mail_from_a_login_that_was_taken_back) {
  World w;
  w.start();
  Peer peer(w, Door::submissions);
  peer.handshake();
  peer.hear();
  peer.say("EHLO client.example\r\n");
  EXPECT_TRUE(peer.say(plain("alice@own.example", app_password)).starts_with("235"));
  const auto send = [&peer] {
    peer.say("MAIL FROM:<alice@own.example>\r\nRCPT TO:<x@far.example>\r\nDATA\r\n");
    return peer.say("From: alice@own.example\r\n\r\nhello\r\n.\r\n");
  };
  EXPECT_TRUE(send().starts_with("250"));
  auto changed = test_domains();
  auto alice = *changed.directory.find_login("alice@own.example");
  alice.app_passwords.clear();
  changed.directory = {};
  changed.directory.add_domain("own.example", {alice});
  w.domains.set(std::make_shared<const Domains>(std::move(changed)));
  EXPECT_TRUE(peer.say("MAIL FROM:<alice@own.example>\r\n").starts_with("530 5.7.0"));
  EXPECT_TRUE(peer.say("RCPT TO:<x@far.example>\r\n").starts_with("503"));
  EXPECT_EQ(w.queue.accepted.size(), 1U);
  peer.say("QUIT\r\n");
  w.stop();
}

TEST(SmtpSession, shows_an_observer_what_strangers_send_once_it_is_kept) {
  struct Seen final : MailObserver {
    void on_received(const queue::Message& message, const Body& body) override {
      ids.push_back(message.id);
      bytes.push_back(body.size());
      queued.push_back(queue.accepted.size());
    }
    explicit Seen(RecordingQueue& from) : queue(from) {}
    RecordingQueue& queue;
    std::vector<QueueId> ids;
    std::vector<std::uint64_t> bytes;
    std::vector<std::size_t> queued;
  };
  World w;
  Seen seen(w.queue);
  w.observer = &seen;
  w.start();
  Peer stranger(w);
  stranger.say("EHLO client.example\r\n");
  stranger.say("MAIL FROM:<x@far.example>\r\nRCPT TO:<carol@own.example>\r\nDATA\r\n");
  EXPECT_TRUE(stranger.say(header + "\r\nhello\r\n.\r\n").starts_with("250"));
  ASSERT_EQ(seen.ids.size(), 1U);
  EXPECT_EQ(seen.ids[0], w.queue.accepted[0].message.id);
  EXPECT_EQ(seen.bytes[0], w.queue.accepted[0].text.size());
  EXPECT_EQ(seen.queued[0], 0U);
  Peer user(w, Door::submissions);
  user.handshake();
  user.hear();
  user.say("EHLO client.example\r\n");
  user.say(plain("alice@own.example", "alice's secret"));
  user.say("MAIL FROM:<alice@own.example>\r\nRCPT TO:<x@far.example>\r\nDATA\r\n");
  EXPECT_TRUE(user.say("From: alice@own.example\r\n\r\nhello\r\n.\r\n").starts_with("250"));
  EXPECT_EQ(seen.ids.size(), 1U);
  w.stop();
}

}  // namespace
}  // namespace tapal::intake
