// Both sessions back to back, in memory.
#include <random>
#include <set>

#include "protocols/smtp/client_test_player.h"
#include "protocols/smtp/server_session.h"

namespace tapal::smtp {
namespace {

struct Stored {
  mail::Envelope envelope;
  std::string body;
};

// A server that takes all but what begins with "no", and sometimes fails to store.
class ServerShell {
 public:
  ServerShell(ServerOptions options, std::mt19937& random, std::string hidden)
      : session_(std::move(options), now_), random_(random), hidden_(std::move(hidden)) {}

  void run() {
    while (auto action = session_.next_action())
      std::visit([this](auto& each) { on(each); }, *action);
  }
  void feed(std::string_view bytes) {
    if (session_.is_closed()) return;
    session_.on_bytes(bytes, now_);
    run();
  }
  bool is_closed() const { return session_.is_closed(); }

  std::string written;
  std::vector<Stored> stored;

 private:
  void on(Send& send) {
    // An extension that this server is not to have.
    for (std::size_t at = 0;
         !hidden_.empty() && (at = send.bytes.find(hidden_)) != std::string::npos;)
      send.bytes[at] = 'X';
    written += send.bytes;
  }
  void on(StartTls&) { session_.on_tls({"TLSv1.3", "x"}, now_); }
  void on(AskAuthentication&) { session_.on_auth_failure(make_reply(535, "5.7.8", "no"), now_); }
  void on(AskAuthStep&) { session_.on_auth_failure(make_reply(535, "5.7.8", "no"), now_); }
  void on(AskSender& ask) {
    body_.clear();
    if (random_() % 20 == 0) return session_.on_sender(make_reply(451, "4.7.1", "later"), now_);
    EXPECT_EQ(ask.envelope.return_path->text(), "from@sender.example");
    session_.on_sender({}, now_);
  }
  void on(AskRecipient& ask) {
    if (ask.recipient.address.local.starts_with("no"))
      return session_.on_recipient(make_reply(550, "5.1.1", "no such user"), now_);
    session_.on_recipient({}, now_);
  }
  void on(BodyBytes& bytes) { body_ += bytes.bytes; }
  void on(AskStore& ask) {
    if (random_() % 20 == 0) return session_.on_stored(make_reply(452, "4.3.1", "full"), now_);
    EXPECT_EQ(ask.body_bytes, body_.size());
    stored.push_back({std::move(ask.envelope), std::move(body_)});
    session_.on_stored(make_reply(250, "2.0.0", "queued"), now_);
    body_.clear();
  }
  void on(AbandonBody&) { body_.clear(); }
  void on(Close&) {}

  Instant now_{std::chrono::hours(1)};
  ServerSession session_;
  std::mt19937& random_;
  std::string hidden_;
  std::string body_;
};

std::string random_body(std::mt19937& random, std::size_t number) {
  std::string body = "Subject: " + std::to_string(number) + "\r\n\r\n";
  const std::size_t lines = random() % 5 == 0 ? random() % 3000 : random() % 20;
  for (std::size_t i = 0; i < lines; ++i)
    body += std::string(random() % 4, '.') + std::string(random() % 60, 'x') + "\r\n";
  return body;
}

ClientPlan random_mails(std::mt19937& random) {
  std::vector<ClientPlan::Mail> mails;
  const std::size_t count = 1 + random() % 4;
  for (std::size_t i = 0; i < count; ++i) {
    std::vector<std::string> names;
    const std::size_t recipients = 1 + random() % 6;
    for (std::size_t k = 0; k < recipients; ++k)
      names.push_back((random() % 3 == 0 ? "no" : "yes") + std::to_string(i * 10 + k));
    mails.push_back(a_mail(std::move(names), random_body(random, i)));
  }
  ClientPlan plan =
      plan_of(std::move(mails), random() % 2 == 0 ? ClientTls::required : ClientTls::never);
  plan.options.early_body_bytes_max = random() % 2 == 0 ? 64 * 1024 : 100;
  return plan;
}

// Moves a random part of `from`, when there is any.
std::string take(std::string& from, std::mt19937& random) {
  const std::size_t most = random() % 4 == 0 ? 3 : from.size();
  const std::size_t count = std::min(from.size(), 1 + random() % std::max<std::size_t>(most, 1));
  std::string part = from.substr(0, count);
  from.erase(0, count);
  return part;
}

struct Counts {
  std::size_t accepted = 0;
  std::size_t maybe = 0;
};

// What the client calls accepted is stored with the same bytes; what is stored is called accepted,
// or may have been delivered.
void expect_agreement(const ClientPlan& plan,
                      const ClientShell& client,
                      const ServerShell& server,
                      Counts& counts) {
  std::set<std::string> stored;
  for (const Stored& each : server.stored) {
    for (const mail::Recipient& recipient : each.envelope.recipients) {
      EXPECT_TRUE(stored.insert(recipient.address.local).second) << "twice";
      const std::size_t mail = std::stoul(recipient.address.local.substr(3)) / 10;
      EXPECT_EQ(each.body, plan.mails[mail].body);
    }
  }
  std::size_t explained = 0;
  for (std::size_t i = 0; i < client.dones.size(); ++i) {
    for (const auto& result : client.dones[i].recipients) {
      const auto& recipient = plan.mails[i].transaction.envelope.recipients[result.index];
      const bool kept = stored.contains(recipient.address.local);
      explained += kept ? 1 : 0;
      const bool maybe = client.dones[i].maybe_delivered && result.outcome == client::Outcome::lost;
      if (result.outcome == client::Outcome::accepted) EXPECT_TRUE(kept);
      if (kept) EXPECT_TRUE(maybe || result.outcome == client::Outcome::accepted);
      counts.accepted += result.outcome == client::Outcome::accepted ? 1 : 0;
      counts.maybe += maybe && kept ? 1 : 0;
    }
  }
  EXPECT_EQ(explained, stored.size());
}

void play(std::mt19937& random, Counts& counts) {
  const ClientPlan plan = random_mails(random);
  ServerOptions options;
  options.hostname = "mx.example";
  options.tls = ServerTls::starttls;
  options.limits.recipients = 1 + random() % 6;
  options.limits.transactions = 1 + random() % 4;
  const std::vector<std::string> hidden = {"", "CHUNKING", "PIPELINING", "LIMITS"};
  ServerShell server(options, random, hidden[random() % hidden.size()]);
  ClientShell client(plan);
  client.piece = 1 + random() % 100'000;
  std::size_t moves = random() % 3 == 0 ? random() % 60 : 10'000'000;  // then the line breaks
  server.run();
  client.run();
  for (; !client.session.is_closed() && moves > 0; --moves) {
    if (client.written.empty() && server.written.empty()) break;
    const bool to_server = !client.written.empty() && (server.written.empty() || random() % 2 == 0);
    if (to_server)
      server.feed(take(client.written, random));
    else
      client.feed(take(server.written, random));
  }
  const bool broken = moves == 0 || server.is_closed();
  EXPECT_TRUE(broken || client.session.is_closed()) << "both wait for each other";
  client.session.on_closed("broken");
  client.run();
  expect_laws(client, plan);
  expect_agreement(plan, client, server, counts);
  if (testing::Test::HasFailure()) {
    std::string tail = client.what_happened();
    ADD_FAILURE() << tail << "client left: " << client.written.substr(0, 500)
                  << "\nserver left: " << server.written;
  }
}

TEST(ClientAndServerSession, agree_on_what_was_delivered_wherever_the_line_breaks) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  Counts counts;
  for (int round = 0; round < 1500 && !HasFailure(); ++round) play(random, counts);
  EXPECT_GT(counts.accepted, 1000u);
  EXPECT_GT(counts.maybe, 5u);
}

}  // namespace
}  // namespace tapal::smtp
