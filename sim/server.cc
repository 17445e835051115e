#include "sim/server.h"

#include <utility>

#include "services/intake/test_domains.h"

namespace tapal::sim {
namespace {

struct NoTls final : TlsServer, TlsClient {};

// Each mail host's address is made from its place among all.
Endpoint endpoint_of(std::size_t place) {
  return {IpAddress::v4({9,
                         9,
                         static_cast<std::uint8_t>(place / 250),
                         static_cast<std::uint8_t>(1 + place % 250)}),
          25};
}

}  // namespace

class Server::Outside final : public Network {
 public:
  explicit Outside(Server& server) : server_(server), dice_(server.dice_.fork()) {}

  Task<Result<std::unique_ptr<Stream>>> connect(Endpoint to,
                                                std::optional<IpAddress> from,
                                                Instant deadline) override {
    auto& around = server_.around_;
    const auto timer = around.loop.make_timer();
    const auto latency = dice_.between(Duration(0), 2 * around.network.latency_max);
    co_await timer->wait_until(std::min(around.loop.now() + latency, deadline));
    Receiver* receiver = receiver_at(to);
    if (!server_.has_power() || receiver == nullptr || receiver->mood.refuses_connections)
      co_return fail(Code::closed, "connection refused");
    WireStream::Ends ends{{from.value_or(IpAddress{}), 40'000}, to, receiver->tls_failure()};
    auto pair = WireStream::connect(around.loop, dice_, around.network, std::move(ends));
    pair.client->belongs_to(server_.power_);
    receiver->begin(std::move(pair.server), pair.wire);
    co_return std::move(pair.client);
  }

 private:
  Receiver* receiver_at(const Endpoint& to) {
    std::size_t place = 0;
    for (const auto& [host, receiver] : server_.around_.receivers)
      if (endpoint_of(place++) == to) return receiver.get();
    return nullptr;
  }

  Server& server_;
  Dice dice_;
};

class Server::Names final : public Resolver {
 public:
  explicit Names(Server& server) : server_(server), dice_(server.dice_.fork()) {}

  Task<Result<DnsAnswer>> resolve(Loop&, std::string name, dns::Type type) override {
    auto& around = server_.around_;
    const auto timer = around.loop.make_timer();
    const bool fails = around.dns_fails_one_in != 0 && dice_.one_in(around.dns_fails_one_in);
    const auto time = fails && dice_.one_in(2)
                          ? Duration(std::chrono::seconds(30))
                          : dice_.between(Duration(0), std::chrono::milliseconds(50));
    co_await timer->wait_until(around.loop.now() + time);
    if (fails || !server_.has_power()) co_return fail(Code::try_later, "the name servers fail");
    co_return answer(name, type);
  }

 private:
  DnsAnswer answer(const std::string& name, dns::Type type) const {
    DnsAnswer answer;
    answer.status = DnsAnswer::Status::no_data;
    std::size_t place = 0;
    for (const auto& [host, receiver] : server_.around_.receivers) {
      const std::uint16_t preference = place % 3 == 0 ? 10 : 20;
      const auto address = endpoint_of(place++).address;
      if (name == receiver->domain() && type == dns::Type::mx)
        answer.records.push_back(
            {name, type, std::chrono::seconds(60), dns::MailExchange{preference, host}});
      if (name == host && type == dns::Type::a)
        answer.records.push_back({name, type, std::chrono::seconds(60), address});
    }
    if (!answer.records.empty()) answer.status = DnsAnswer::Status::found;
    return answer;
  }

  Server& server_;
  Dice dice_;
};

// Keeps what it is given for good; the ledger reads it at once.
class Server::Mailboxes final : public Mailbox {
 public:
  explicit Mailboxes(Server& server) : server_(server), dice_(server.dice_.fork()) {}

  Task<Result<void>> deliver(
      Loop& loop, MailboxPlace place, BodyPtr body, std::string, QueueId id) override {
    co_await switch_to(loop);
    auto& around = server_.around_;
    const auto one_in = around.mailbox_fails_one_in;
    if (!server_.has_power() || (one_in != 0 && dice_.one_in(one_in)))
      co_return fail(Code::full, "no room in the mailbox");
    std::string text(static_cast<std::size_t>(body->size()), '\0');
    text.resize(body->read(0, text).value_or(0));
    const bool is_notice = text.contains("multipart/report");
    if (is_notice) {
      if (around.fault != Fault::lost_notice) around.ledger.told(id, text);
    } else {
      around.ledger.put_into_mailbox(place.user.text(), id, text);
    }
    if (around.fault == Fault::body_leak) server_.leaked_.push_back(body);
    co_return Result<void>();
  }

 private:
  Server& server_;
  Dice dice_;
};

// What the server logs is an event of the world.
class Server::Events final : public Log {
 public:
  explicit Events(Server& server) : server_(server) {}
  void write(Level, std::string_view event, LogFields fields) override {
    if (!server_.has_power()) return;
    std::string text(event);
    for (const auto& [name, value] : fields)
      if (!value.empty()) text.append(" ").append(name).append("=").append(value);
    server_.around_.chronicle.tell("server: {}", text);
    watch_notices(event, fields);
  }

 private:
  // A notice that cannot be delivered ends without a word (RFC 5321 section 4.5.5): as when its
  // reader's mailbox was full and the clock then jumped over the rest of its time.
  void watch_notices(std::string_view event, const LogFields& fields) {
    const auto id_in = [&fields](std::string_view name) {
      for (const auto& [each, value] : fields)
        if (each == name) return QueueId::from_text(value).value_or(QueueId());
      return QueueId();
    };
    const auto id = id_in("queue_id");
    if (event == "notice to sender") about_[id_in("notice_id")] = id;
    if (event != "sender not told") return;
    if (const auto about = about_.find(id); about != about_.end())
      server_.around_.ledger.dropped(about->second);
  }

  Server& server_;
  std::map<QueueId, QueueId> about_;  // the messages that notices are about
};

// For some of the mail with one recipient a session waits for the first attempt.
class Server::Queue final : public MailQueue {
 public:
  explicit Queue(Server& server) : server_(server), dice_(server.dice_.fork()) {}

  bool full() const override { return server_.dispatcher_->full(); }
  void accept(queue::Message message, BodyPtr body) override {
    if (message.recipients.size() == 1 && dice_.one_in(2))
      server_.tasks_.spawn(try_at_once(std::move(message), std::move(body)));
    else
      server_.dispatcher_->accept(std::move(message), std::move(body));
  }
  Task<FirstTry> accept_and_try(Loop& loop,
                                queue::Message message,
                                BodyPtr body,
                                std::chrono::seconds patience) override {
    return server_.dispatcher_->accept_and_try(loop, std::move(message), std::move(body), patience);
  }

 private:
  Task<void> try_at_once(queue::Message message, BodyPtr body) {
    auto tried = message;
    const std::chrono::seconds patience(dice_.between(0, 300));
    const auto first =
        co_await accept_and_try(server_.around_.loop, std::move(tried), std::move(body), patience);
    const bool forgets = server_.around_.fault == Fault::lost_refusal;
    if (!forgets || first.result != FirstTry::Result::refused)
      server_.around_.ledger.tried(message, first.result);
  }

  Server& server_;
  Dice dice_;
};

Server::Server(Surroundings around, Dice dice)
    : around_(around),
      dice_(dice),
      connections_(around.options.connections),
      domains_(std::make_shared<const intake::Domains>(intake::test_domains())),
      own_{around.options.host_name, {}},
      tls_server_(std::make_unique<NoTls>()),
      tls_client_(std::make_unique<NoTls>()) {}
Server::~Server() = default;

bool Server::start(Witness::Since since) {
  if (!open_store(since)) return false;
  start_delivery();
  start_intake();
  working_ = true;
  return true;
}

bool Server::open_store(Witness::Since since) {
  LogStore::Options store_options{
      [this](LogStore::Work work) {
        const auto time =
            dice_.between(std::chrono::microseconds(100), std::chrono::milliseconds(40));
        around_.loop.call_at(around_.loop.now() + time, std::move(work));
      },
      around_.fault};
  auto store = LogStore::open(Mount(around_.disk), std::move(store_options));
  if (!store) return false;
  store_ = *std::move(store);
  around_.witness.reopened(*store_, since);
  static_cast<void>(store_->scan({}, [this](const queue::Message& one) {
    around_.ledger.recovered(one);
    return true;
  }));
  watched_ = std::make_unique<WitnessedStore>(
      *store_,
      around_.witness,
      WitnessedStore::Watchers{
          .added = [this](const queue::Message& one) { around_.ledger.stored(one); },
          .removed = [this](QueueId id) { around_.ledger.removed(id, around_.clock.latest()); },
          .has_power = [this] { return has_power(); }});
  return true;
}

void Server::start_delivery() {
  auto& loop = around_.loop;
  auto& clock = around_.clock;
  auto& options = around_.options;
  outside_ = std::make_unique<Outside>(*this);
  names_ = std::make_unique<Names>(*this);
  mailboxes_ = std::make_unique<Mailboxes>(*this);
  events_ = std::make_unique<Events>(*this);
  sources_.emplace(options.delivery);
  courier_.emplace(delivery::CourierWorld{loop,
                                          *outside_,
                                          *names_,
                                          dice_,
                                          *events_,
                                          *tls_client_,
                                          options.delivery,
                                          options.timeouts,
                                          own_,
                                          *sources_});
  shaper_.emplace(options.shaping, providers_);
  sites_.emplace(delivery::SitesWorld{loop, *names_, dice_, options.delivery, own_, providers_});
  carriers_.emplace(delivery::CarriersWorld{
      .loop = loop,
      .clock = clock,
      .couriers = {&*courier_},
      .mailbox = *mailboxes_,
      .programs = programs_,
      .http = http_,
      .options = options.delivery,
      .sites = *sites_,
      .is_local = [](const mail::Address& to) { return to.domain == "own.example"; }});
  dispatcher_.emplace(
      delivery::DispatcherWorld{.loop = loop,
                                .clock = clock,
                                .random = dice_,
                                .log = *events_,
                                .store = *watched_,
                                .records = records_,
                                .carriers = *carriers_,
                                .shaper = *shaper_,
                                .memory = nullptr,
                                .marks = nullptr,
                                .options = options.delivery,
                                .host_name = options.host_name,
                                .sign_notice = [](std::string_view) { return std::string(); }},
      queue::RetrySchedule{},
      options.scheduler);
  dispatcher_->load();
  tasks_.spawn(dispatcher_->run());
}

void Server::start_intake() {
  authenticator_.emplace(workers_,
                         around_.clock,
                         dice_,
                         intake::AuthenticatorOptions{.password_cost = intake::cheap_cost});
  queue_ = std::make_unique<Queue>(*this);
  sessions_.emplace(intake::SessionWorld{around_.loop,
                                         around_.clock,
                                         dice_,
                                         *events_,
                                         *watched_,
                                         return_paths_,
                                         *queue_,
                                         *authenticator_,
                                         connections_,
                                         domains_,
                                         around_.options.intake,
                                         tls_server_.get()});
}

bool Server::begin(intake::Door door, std::unique_ptr<WireStream> stream) {
  if (!working_ || !has_power()) return false;
  stream->belongs_to(power_);
  sessions_->begin(door, std::move(stream));
  return true;
}

void Server::cut_power() {
  working_ = false;
  power_->cut();
}

Task<void> Server::stop(std::chrono::seconds grace) {
  working_ = false;
  if (!has_started()) co_return;
  dispatcher_->release_sessions();
  co_await sessions_->stop(around_.loop.now() + grace);
  dispatcher_->stop(grace);
  co_await tasks_.join();
}

void Server::order(queue::Order::Kind order, QueueId id) {
  if (working_) tasks_.spawn(carry_out(order, id));
}

Task<void> Server::carry_out(queue::Order::Kind order, QueueId id) {
  using Order = queue::Order::Kind;
  // It may take effect even when its answer is a failure.
  if (order == Order::drop && dispatcher_->find(id)) around_.ledger.dropped(id);
  queue::Order given;
  given.kind = order;
  queue::Filter one;
  one.ids = {id};
  const auto done = co_await dispatcher_->order(std::move(given), std::move(one));
  if (has_power())
    around_.chronicle.tell("order {} for {}: {}",
                           static_cast<int>(order),
                           id.text(),
                           done ? "done" : done.error().what);
}

}  // namespace tapal::sim
