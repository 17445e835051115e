// Servers to deliver to, for tests: smtp::ServerSession behind streams in memory, and the network
// that leads there.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "ports/test_loop.h"
#include "ports/test_stream.h"
#include "protocols/smtp/server_session.h"

namespace tapal::delivery {

struct NoTls final : TlsServer, TlsClient {};

// What one host does. Change it at any time; it holds for what comes next.
struct PeerPlan {
  bool refuses_connections = false;
  smtp::ServerTls tls = smtp::ServerTls::none;
  std::optional<Error> tls_failure;
  bool certificate_holds = true;
  std::size_t recipients_max = 1000;
  std::string greeting;  // said in place of a session's own; the connection ends with it
  // Each answers with a refusal, or with nothing: yes.
  std::function<std::optional<smtp::Reply>(const mail::Envelope&)> sender;
  std::function<std::optional<smtp::Reply>(const mail::Recipient&)> recipient;
  std::function<smtp::Reply(const mail::Envelope&)> stored;
  enum class HangUp : std::uint8_t { no, at_sender, at_recipient, at_body, at_end, when_idle };
  HangUp hangs_up = HangUp::no;
  bool silent = false;                      // never says a word
  Duration delay_at_end{0};                 // before the answer to the end of a message
  std::function<Task<void>(Stream&)> talk;  // in place of all of this
};

class Peer {
 public:
  struct Mail {
    mail::Envelope envelope;
    std::string text;
    bool tls = false;
  };
  explicit Peer(VirtualLoop& loop) : loop_(loop) {}

  PeerPlan plan;
  std::vector<Mail> mails;  // accepted
  std::size_t connections = 0;
  std::size_t goodbyes = 0;  // connections that the client ended with QUIT
  std::size_t open() const { return streams_.size(); }
  // Hangs up on everybody.
  void drop_all() {
    for (auto* stream : streams_) stream->close();
  }

  void begin(std::unique_ptr<Stream> stream) {
    ++connections;
    tasks_.spawn(serve(std::move(stream)));
  }

 private:
  smtp::ServerOptions options() const {
    smtp::ServerOptions made;
    made.hostname = "peer.example";
    made.tls = plan.tls;
    made.limits.recipients = plan.recipients_max;
    return made;
  }

  Task<void> serve(std::unique_ptr<Stream> stream) {
    streams_.push_back(stream.get());
    if (!plan.greeting.empty())
      static_cast<void>(co_await stream->write(plan.greeting, never));
    else if (plan.talk)
      co_await plan.talk(*stream);
    else if (plan.silent)
      co_await swallow(*stream);
    else
      co_await talk(*stream);
    stream->close();
    std::erase(streams_, stream.get());
  }
  static Task<void> swallow(Stream& stream) {
    std::array<char, 100> buffer{};
    while (co_await stream.read(buffer, never)) {
    }
  }
  Task<void> talk(Stream& stream) {
    smtp::ServerSession core(options(), loop_.now());
    std::string text;
    for (;;) {
      while (auto action = core.next_action())
        if (!co_await perform(*std::move(action), core, stream, text)) co_return;
      if (!core.wants_bytes()) co_return;
      std::array<char, 4096> buffer{};
      const auto count = co_await stream.read(buffer, never);
      if (!count) co_return;
      core.on_bytes({buffer.data(), *count}, loop_.now());
    }
  }
  // False: the connection is over.
  Task<bool> perform(smtp::ServerAction action,
                     smtp::ServerSession& core,
                     Stream& stream,
                     std::string& text) {
    using HangUp = PeerPlan::HangUp;
    const auto now = loop_.now();
    if (auto* send = std::get_if<smtp::Send>(&action)) {
      if (send->bytes.starts_with("221")) ++goodbyes;
      const auto written = co_await stream.write(send->bytes, never);
      co_return written.has_value();
    }
    if (std::holds_alternative<smtp::StartTls>(action)) {
      const auto state = co_await stream.accept_tls(tls_, never);
      if (!state) co_return false;
      core.on_tls({state->version, state->cipher}, now);
    } else if (auto* sender = std::get_if<smtp::AskSender>(&action)) {
      if (plan.hangs_up == HangUp::at_sender) co_return false;
      core.on_sender(plan.sender ? plan.sender(sender->envelope) : std::nullopt, now);
    } else if (auto* recipient = std::get_if<smtp::AskRecipient>(&action)) {
      if (plan.hangs_up == HangUp::at_recipient) co_return false;
      core.on_recipient(plan.recipient ? plan.recipient(recipient->recipient) : std::nullopt, now);
    } else if (auto* body = std::get_if<smtp::BodyBytes>(&action)) {
      if (plan.hangs_up == HangUp::at_body) co_return false;
      text += body->bytes;
    } else if (std::holds_alternative<smtp::AbandonBody>(action)) {
      text.clear();
    } else if (auto* store = std::get_if<smtp::AskStore>(&action)) {
      if (plan.hangs_up == HangUp::at_end) co_return false;
      if (plan.delay_at_end.count() > 0) {
        const auto timer = loop_.make_timer();
        co_await timer->wait_until(now + plan.delay_at_end);
      }
      auto reply = plan.stored ? plan.stored(store->envelope)
                               : smtp::make_reply(250, "2.0.0", "queued as PEER");
      if (smtp::is_positive(reply))
        mails.push_back({std::move(store->envelope), std::exchange(text, {}), stream.is_tls()});
      core.on_stored(std::move(reply), now);
    }
    co_return !std::holds_alternative<smtp::Close>(action);
  }

  VirtualLoop& loop_;
  NoTls tls_;
  std::vector<Stream*> streams_;
  TaskGroup tasks_;
};

// Every address that has a peer can be reached; nothing else.
class PeerNetwork final : public Network {
 public:
  explicit PeerNetwork(VirtualLoop& loop) : loop_(loop) {}

  Peer& at(std::string_view endpoint) {
    auto& peer = peers_[Endpoint::from_text(endpoint).value()];
    if (!peer) peer = std::make_unique<Peer>(loop_);
    return *peer;
  }
  Task<Result<std::unique_ptr<Stream>>> connect(Endpoint to,
                                                std::optional<IpAddress> from,
                                                Instant deadline) override {
    const auto timer = loop_.make_timer();
    const auto answered = loop_.now() + latency;
    co_await timer->wait_until(std::min(answered, deadline));
    if (answered > deadline) co_return fail(Code::timed_out, "connecting took too long");
    const auto found = peers_.find(to);
    if (found == peers_.end() || found->second->plan.refuses_connections)
      co_return fail(Code::closed, "connection refused");
    sources.push_back(from);
    const auto& plan = found->second->plan;
    auto pipe = PipeStream::make(loop_,
                                 {.client = {from.value_or(IpAddress{}), 40'000},
                                  .server = to,
                                  .read_bytes_max = read_bytes_max,
                                  .tls_failure = plan.tls_failure,
                                  .certificate_holds = plan.certificate_holds});
    found->second->begin(std::move(pipe.server));
    co_return std::move(pipe.client);
  }
  Peer& at_socket(const std::string& path) {
    auto& peer = sockets_[path];
    if (!peer) peer = std::make_unique<Peer>(loop_);
    return *peer;
  }
  Task<Result<std::unique_ptr<Stream>>> connect_unix(std::string path, Instant) override {
    const auto found = sockets_.find(path);
    if (found == sockets_.end()) co_return fail(Code::closed, path + ": no such socket");
    auto pipe = PipeStream::make(loop_, {.read_bytes_max = read_bytes_max});
    found->second->begin(std::move(pipe.server));
    co_return std::move(pipe.client);
  }
  Duration latency = std::chrono::milliseconds(1);
  std::size_t read_bytes_max = 1000;
  std::vector<std::optional<IpAddress>> sources;  // of the connections made

 private:
  VirtualLoop& loop_;
  std::map<Endpoint, std::unique_ptr<Peer>> peers_;
  std::map<std::string, std::unique_ptr<Peer>> sockets_;
};

}  // namespace tapal::delivery
