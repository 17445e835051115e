#include "services/intake/smtp_session.h"

#include <gtest/gtest.h>

#include "ports/memory_store.h"
#include "ports/test_fakes.h"
#include "ports/test_loop.h"
#include "ports/test_stream.h"
#include "services/intake/test_domains.h"
#include "values/text/base64.h"

namespace tapal::intake {
namespace {

struct NoTls : TlsServer, TlsClient {};

// A store whose commits wait until they are let through.
class SlowStore final : public Store {
 public:
  explicit SlowStore(VirtualLoop& loop) : loop_(loop) {}
  std::unique_ptr<BodyWriter> new_body() override { return memory.new_body(); }
  Task<Result<std::vector<BodyPtr>>> commit(Loop& loop,
                                            StoreChange change,
                                            Durability durability) override {
    last_durability = durability;
    const auto timer = loop_.make_timer();
    while (held) co_await timer->wait_until(loop_.now() + std::chrono::milliseconds(1));
    co_return co_await memory.commit(loop, std::move(change), durability);
  }
  Result<BodyPtr> load_body(QueueId id) override { return memory.load_body(id); }
  Result<queue::Message> load(QueueId id) override { return memory.load(id); }
  Result<void> scan(QueueId after, std::move_only_function<bool(queue::Message)> each) override {
    return memory.scan(after, std::move(each));
  }
  std::uint64_t free_bytes() const override { return memory.free_bytes(); }

  MemoryStore memory;
  bool held = false;
  std::optional<Durability> last_durability;

 private:
  VirtualLoop& loop_;
};

struct World {
  VirtualLoop loop;
  SeededRandom random;
  RecordingLog log;
  SlowStore store{loop};
  RecordingQueue queue;
  InlineWorkers workers;
  NoTls tls;
  Options options{.host_name = "mx.own.example"};
  Authenticator authenticator{workers, loop, random, {.password_cost = cheap_cost}};
  ConnectionCount connections{{.all_max = 3, .per_address_max = 2}};
  Snapshot<Domains> domains{std::make_shared<const Domains>(test_domains())};
  MailObserver* observer = nullptr;
  std::optional<Sessions> sessions;

  void start() {
    sessions.emplace(SessionWorld{loop,
                                  loop,
                                  random,
                                  log,
                                  store,
                                  queue,
                                  authenticator,
                                  connections,
                                  domains,
                                  options,
                                  &tls,
                                  observer});
  }
  void stop() {
    loop.wait(sessions->stop(loop.now() + std::chrono::seconds(5)));
    EXPECT_EQ(sessions->count(), 0U);
    EXPECT_EQ(connections.count(), 0U);
  }
};

// The client's end of one session.
struct Peer {
  World& w;
  std::unique_ptr<PipeStream> stream;
  std::string heard;

  explicit Peer(World& world, Door door = Door::smtp, std::string_view from = "192.0.2.7:4000")
      : w(world) {
    auto pipe = PipeStream::make(
        w.loop,
        {.client = Endpoint::from_text(from).value(), .server = {{}, 25}, .read_bytes_max = 1000});
    stream = std::move(pipe.client);
    w.sessions->begin(door, std::move(pipe.server));
    w.loop.run();
  }
  void handshake() {
    w.loop.wait(stream->connect_tls(w.tls, {}, never));
    w.loop.run();
  }
  // Says it, and gives what is answered meanwhile.
  std::string say(std::string_view bytes) {
    w.loop.wait(stream->write(bytes, never));
    w.loop.run();
    return hear();
  }
  std::string hear() {
    std::string text;
    for (;;) {
      std::array<char, 4096> buffer{};
      const auto count = w.loop.wait(stream->read(buffer, w.loop.now())).value();
      if (!count) return text;
      text.append(buffer.data(), *count);
    }
  }
  bool is_closed() {
    std::array<char, 16> buffer{};
    const auto count = w.loop.wait(stream->read(buffer, w.loop.now())).value();
    return !count && count.error().code == Code::closed;
  }
};

const std::string header = "From: x@far.example\r\nSubject: hi\r\n";

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
