#include "services/delivery/dispatcher.h"

#include <random>

#include <gtest/gtest.h>

#include "ports/memory_store.h"
#include "services/delivery/test_world.h"

namespace tapal::delivery {
namespace {

using smtp::make_reply;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using Order = Dispatcher::Order;
using HangUp = PeerPlan::HangUp;

// A MemoryStore that tells what it was asked to change.
class WatchedStore final : public Store {
 public:
  std::unique_ptr<BodyWriter> new_body() override { return memory.new_body(); }
  Task<Result<std::vector<BodyPtr>>> commit(Loop& loop,
                                            StoreChange change,
                                            Durability durability) override {
    ++commits;
    for (const auto& added : change.added)
      if (added.message.origin.kind == queue::Origin::Kind::notice)
        notice_commits.push_back({change.updated.size() + change.removed.size(), durability});
    return memory.commit(loop, std::move(change), durability);
  }
  Result<BodyPtr> load_body(QueueId id) override {
    ++bodies_loaded;
    return memory.load_body(id);
  }
  Result<queue::Message> load(QueueId id) override { return memory.load(id); }
  Result<void> scan(std::move_only_function<void(queue::Message)> each) override {
    return memory.scan(std::move(each));
  }
  std::uint64_t free_bytes() const override { return memory.free_bytes(); }

  struct NoticeCommit {
    std::size_t states;  // of other messages in the same change
    Durability durability;
  };
  MemoryStore memory;
  std::size_t commits = 0;
  std::size_t bodies_loaded = 0;
  std::vector<NoticeCommit> notice_commits;
};

std::size_t count_of(std::string_view text, std::string_view what) {
  std::size_t count = 0;
  for (auto at = text.find(what); at != std::string_view::npos; at = text.find(what, at + 1))
    ++count;
  return count;
}

struct World : CourierTestWorld {
  WatchedStore store;
  MemoryMailbox mailbox;
  std::string host_name = "mx.own.example";
  queue::SchedulerLimits limits;
  std::size_t signatures = 0;
  std::unique_ptr<Dispatcher> dispatcher;
  TaskGroup running;
  bool ended = false;
  std::uint32_t ids = 0;

  ~World() { stop(seconds(0)); }

  void start() {
    courier_.reset();
    dispatcher = std::make_unique<Dispatcher>(
        DispatcherWorld{
            .loop = loop,
            .clock = loop,
            .random = random,
            .log = log,
            .store = store,
            .mailbox = mailbox,
            .couriers = {&courier()},
            .options = options,
            .host_name = host_name,
            .is_local = [](const mail::Address& to) { return to.domain == "own.example"; },
            .sign_notice =
                [this](std::string_view) {
                  ++signatures;
                  return std::string("DKIM-Signature: by the test\r\n");
                }},
        queue::RetrySchedule{},
        limits);
    ASSERT_TRUE(dispatcher->load());
    ended = false;
    const auto run = [](World& w) -> Task<void> {
      co_await w.dispatcher->run();
      w.ended = true;
    };
    running.spawn(run(*this));
    loop.run();
  }
  void stop(seconds grace) {
    if (!dispatcher || ended) return;
    dispatcher->stop(grace);
    loop.run_until([this] { return ended; }, hours(1));
    ASSERT_TRUE(ended);
  }

  struct Mail {
    std::vector<std::string> to;
    std::optional<mail::Address> from = mail::Address{"a", "own.example"};
    bool authenticated = true;
    std::string text = test_message;
  };
  QueueId submit(Mail mail) {
    mail::Envelope envelope{.return_path = mail.from};
    for (const auto& to : mail.to)
      envelope.recipients.push_back({.address = mail::parse_address(to).value()});
    const auto id = QueueId::make(loop.wall_now(), ++ids);
    auto message = queue::new_message(id, std::move(envelope), loop.wall_now());
    message.origin.authenticated = mail.authenticated;
    message.body_bytes = mail.text.size();
    StoreChange change;
    auto body = store.new_body();
    EXPECT_TRUE(body->append(mail.text));
    change.added.push_back({message, std::move(body)});
    auto bodies = loop.wait(store.commit(loop, std::move(change), Durability::synced)).value();
    EXPECT_TRUE(bodies);
    dispatcher->accept(std::move(message), std::move(bodies->front()));
    loop.run();
    return id;
  }
  QueueId submit(std::vector<std::string> to) { return submit(Mail{.to = std::move(to)}); }
  Result<void> order(Order what, QueueId id) {
    return loop.wait(dispatcher->order(what, id)).value();
  }
  Peer& peer(const std::string& domain, const std::string& address) {
    this->domain(domain, {address});
    return network.at(address + ":25");
  }
  const std::vector<MemoryMailbox::Mail>& notices() { return mailbox.kept["a@own.example"]; }
  std::string notice_text() {
    std::string all;
    for (const auto& mail : notices()) all += mail.text;
    return all;
  }
};

std::optional<smtp::Reply> try_later(const mail::Recipient&) {
  return make_reply(451, "4.3.0", "not now");
}
std::optional<smtp::Reply> no_such_user(const mail::Recipient&) {
  return make_reply(550, "5.1.1", "no such user");
}

TEST(Dispatcher, delivers_what_it_is_given_and_forgets_it) {
  World w;
  auto& far = w.peer("far.example", "9.9.9.1");
  auto& other = w.peer("other.example", "9.9.9.2");
  w.start();
  w.submit({"x@far.example", "u@own.example", "y@other.example", "z@far.example"});
  w.loop.run_for(seconds(1));
  ASSERT_EQ(far.mails.size(), 1U);
  EXPECT_EQ(far.mails[0].envelope.recipients.size(), 2U);
  EXPECT_EQ(far.mails[0].text, test_message);
  EXPECT_EQ(other.mails.size(), 1U);
  ASSERT_EQ(w.mailbox.kept["u@own.example"].size(), 1U);
  EXPECT_EQ(w.mailbox.kept["u@own.example"][0].text,
            "Return-Path: <a@own.example>\r\nDelivered-To: u@own.example\r\n" + test_message);
  EXPECT_EQ(w.store.memory.size(), 0U);
  EXPECT_EQ(w.store.bodies_loaded, 0U);
  EXPECT_EQ(w.dispatcher->counts().messages, 0U);
  EXPECT_EQ(w.log.count("message delivered"), 4U);
  EXPECT_TRUE(w.notices().empty());
}

TEST(Dispatcher, sends_local_mail_where_a_route_leads) {
  World w;
  w.options.routes["own.example"] = Route{.host = "9.9.9.7", .port = 24};
  auto& store = w.network.at("9.9.9.7:24");
  w.start();
  w.submit({"u@own.example"});
  w.loop.run_for(seconds(1));
  EXPECT_EQ(store.mails.size(), 1U);
  EXPECT_TRUE(w.mailbox.kept.empty());
}

TEST(Dispatcher, tells_the_sender_once_in_the_commit_that_ends_the_message) {
  World w;
  auto& far = w.peer("far.example", "9.9.9.1");
  far.plan.recipient = [](const mail::Recipient& to) -> std::optional<smtp::Reply> {
    return to.address.local == "yes" ? std::nullopt : no_such_user(to);
  };
  w.start();
  w.submit({"no@far.example", "yes@far.example", "nope@far.example"});
  w.loop.run_for(hours(24));
  ASSERT_EQ(w.notices().size(), 1U);
  const auto text = w.notice_text();
  EXPECT_TRUE(text.starts_with("Return-Path: <>\r\n")) << text;
  EXPECT_TRUE(text.contains("\r\nDKIM-Signature: by the test\r\n")) << text;
  EXPECT_EQ(count_of(text, "Action: failed"), 2U) << text;
  EXPECT_TRUE(text.contains("no@far.example"));
  EXPECT_TRUE(text.contains("550 5.1.1 no such user"));
  EXPECT_FALSE(text.contains("Final-Recipient: rfc822; yes@far.example"));
  EXPECT_EQ(w.signatures, 1U);
  ASSERT_EQ(w.store.notice_commits.size(), 1U);
  EXPECT_EQ(w.store.notice_commits[0].states, 1U);
  EXPECT_EQ(w.store.notice_commits[0].durability, Durability::synced);
  EXPECT_EQ(w.store.memory.size(), 0U);
}

TEST(Dispatcher, never_answers_the_null_sender_or_mail_that_nobody_authenticated) {
  World w;
  w.peer("far.example", "9.9.9.1").plan.recipient = no_such_user;
  w.peer("slow.example", "9.9.9.2").plan.recipient = try_later;
  w.start();
  w.submit(World::Mail{.to = {"x@far.example", "y@slow.example"}, .from = {}});
  w.submit(World::Mail{.to = {"x@far.example", "y@slow.example"}, .authenticated = false});
  w.loop.run_for(hours(24 * 6));
  EXPECT_TRUE(w.notices().empty());
  EXPECT_EQ(w.signatures, 0U);
  EXPECT_EQ(w.log.count("sender not told"), 4U);
  EXPECT_EQ(w.store.memory.size(), 0U);
}

TEST(Dispatcher, tells_of_a_delay_after_four_hours_and_of_the_end_after_five_days) {
  World w;
  auto& far = w.peer("far.example", "9.9.9.1");
  far.plan.recipient = try_later;
  w.start();
  w.submit({"x@far.example", "y@far.example"});
  w.loop.run_for(hours(4) - minutes(1));
  EXPECT_EQ(w.notices().size(), 0U);
  w.loop.run_for(minutes(2));
  ASSERT_EQ(w.notices().size(), 1U);
  EXPECT_EQ(count_of(w.notice_text(), "Action: delayed"), 2U);
  w.loop.run_for(hours(24 * 5) - hours(5));
  EXPECT_EQ(w.notices().size(), 1U);
  w.loop.run_for(hours(2));
  ASSERT_EQ(w.notices().size(), 2U);
  EXPECT_EQ(count_of(w.notice_text(), "Action: failed"), 2U);
  EXPECT_EQ(w.store.memory.size(), 0U);
  for (const auto& commit : w.store.notice_commits) EXPECT_EQ(commit.states, 1U);
  EXPECT_EQ(w.signatures, 2U);
}

TEST(Dispatcher, tells_of_no_delay_when_delivery_came_in_time) {
  World w;
  auto& far = w.peer("far.example", "9.9.9.1");
  far.plan.recipient = try_later;
  w.start();
  w.submit({"x@far.example"});
  w.loop.run_for(hours(2));
  far.plan.recipient = {};
  w.loop.run_for(hours(10));
  EXPECT_EQ(far.mails.size(), 1U);
  EXPECT_TRUE(w.notices().empty());
}

TEST(Dispatcher, keeps_an_outcome_when_the_disk_has_room_again) {
  World w;
  auto& far = w.peer("far.example", "9.9.9.1");
  auto& bad = w.peer("bad.example", "9.9.9.2");
  bad.plan.recipient = no_such_user;
  w.start();
  far.plan.delay_at_end = seconds(1);
  bad.plan.delay_at_end = seconds(1);
  w.submit({"x@far.example", "y@bad.example"});
  w.store.memory.fail_with(Error{Code::full, "no space"});
  w.loop.run_for(minutes(10));
  EXPECT_GE(w.log.count("outcome not kept yet"), 500U);
  EXPECT_EQ(w.store.memory.size(), 1U);
  w.store.memory.fail_with({});
  w.loop.run_for(seconds(3));
  EXPECT_EQ(w.store.memory.size(), 0U);
  EXPECT_EQ(far.mails.size(), 1U);
  EXPECT_EQ(w.notices().size(), 1U);
}

TEST(Dispatcher, never_lets_an_older_state_come_last) {
  World w;
  auto& fast = w.peer("fast.example", "9.9.9.1");
  auto& slow = w.peer("slow.example", "9.9.9.2");
  w.peer("dead.example", "9.9.9.3").plan.recipient = try_later;
  slow.plan.delay_at_end = milliseconds(700);
  w.start();
  const auto id = w.submit({"x@fast.example", "y@slow.example", "z@dead.example"});
  w.store.memory.fail_with(Error{Code::full, "no space"});  // for the first outcomes
  w.loop.run_for(milliseconds(500));
  EXPECT_EQ(fast.mails.size(), 1U);
  w.store.memory.fail_with({});  // the second outcome comes before the first is tried again
  w.loop.run_for(seconds(5));
  EXPECT_EQ(slow.mails.size(), 1U);
  const auto kept = w.store.memory.load(id).value();
  EXPECT_EQ(kept.recipients[0].state, queue::State::delivered);
  EXPECT_EQ(kept.recipients[1].state, queue::State::delivered);
  EXPECT_EQ(kept.recipients[2].attempts, 1U);
}

TEST(Dispatcher, forgets_no_hold_that_comes_while_an_outcome_is_kept) {
  World w;
  auto& far = w.peer("far.example", "9.9.9.1");
  far.plan.recipient = try_later;
  w.start();
  w.store.memory.fail_with({});
  const auto id = w.submit({"x@far.example", "y@own.example"});
  w.store.memory.fail_with(Error{Code::full, "no space"});
  w.loop.run_for(milliseconds(100));
  EXPECT_TRUE(w.order(Order::hold, id));
  w.store.memory.fail_with({});
  w.loop.run_for(seconds(5));
  EXPECT_EQ(w.store.memory.load(id)->recipients[0].state, queue::State::held);
  EXPECT_EQ(w.store.memory.load(id)->recipients[1].state, queue::State::delivered);
}

TEST(Dispatcher, obeys_orders_for_a_message_that_waits) {
  World w;
  auto& far = w.peer("far.example", "9.9.9.1");
  far.plan.recipient = try_later;
  w.start();
  const auto id = w.submit({"x@far.example"});
  const auto attempts = [&] { return w.dispatcher->find(id)->recipients[0].attempts; };
  w.loop.run_for(seconds(5));
  EXPECT_EQ(attempts(), 1U);
  EXPECT_TRUE(w.order(Order::retry, id));
  w.loop.run_for(seconds(5));
  EXPECT_EQ(attempts(), 2U);
  EXPECT_TRUE(w.order(Order::hold, id));
  w.loop.run_for(hours(24));
  EXPECT_EQ(attempts(), 2U);
  EXPECT_EQ(w.dispatcher->counts().held, 1U);
  EXPECT_EQ(w.store.memory.load(id)->recipients[0].state, queue::State::held);
  EXPECT_TRUE(w.order(Order::release, id));
  w.loop.run_for(seconds(5));
  EXPECT_EQ(attempts(), 3U);
  EXPECT_TRUE(w.order(Order::drop, id));
  w.loop.run_for(hours(24 * 6));
  EXPECT_EQ(w.store.memory.size(), 0U);
  EXPECT_EQ(w.dispatcher->counts().messages, 0U);
  for (const auto order : {Order::retry, Order::hold, Order::release, Order::drop})
    EXPECT_EQ(w.order(order, id).error().code, Code::not_found);
  EXPECT_EQ(w.order(Order::retry, QueueId{12345}).error().code, Code::not_found);
}

TEST(Dispatcher, obeys_orders_for_a_message_that_is_being_tried) {
  World w;
  auto& far = w.peer("far.example", "9.9.9.1");
  far.plan.delay_at_end = seconds(10);
  far.plan.stored = [](const mail::Envelope&) { return make_reply(451, "4.3.0", "not now"); };
  w.start();
  const auto held = w.submit({"x@far.example"});
  w.loop.run_for(seconds(1));
  EXPECT_TRUE(w.order(Order::hold, held));
  w.loop.run_for(hours(24));
  EXPECT_EQ(w.dispatcher->find(held)->recipients[0].state, queue::State::held);
  EXPECT_EQ(w.dispatcher->find(held)->recipients[0].attempts, 1U);
  EXPECT_TRUE(w.order(Order::release, held));
  w.loop.run_for(seconds(1));
  EXPECT_TRUE(w.order(Order::retry, held));
  EXPECT_TRUE(w.order(Order::drop, held));
  EXPECT_EQ(w.dispatcher->find(held).error().code, Code::not_found);
  EXPECT_EQ(w.order(Order::hold, held).error().code, Code::not_found);
  w.loop.run_for(hours(24));
  EXPECT_EQ(w.store.memory.size(), 0U);
  EXPECT_EQ(w.dispatcher->counts().messages, 0U);
  EXPECT_EQ(w.dispatcher->find(held).error().code, Code::not_found);
  // A failure that comes after the drop is told to nobody.
  far.plan.stored = [](const mail::Envelope&) { return make_reply(550, "5.3.0", "never"); };
  const auto dropped = w.submit({"x@far.example"});
  w.loop.run_for(seconds(1));
  EXPECT_TRUE(w.order(Order::drop, dropped));
  w.loop.run_for(hours(1));
  EXPECT_TRUE(w.notices().empty());
  EXPECT_EQ(w.store.memory.size(), 0U);
}

TEST(Dispatcher, gives_back_the_memory_of_a_message_dropped_before_its_first_attempt) {
  World w;
  w.limits.attempts_at_once_max = 1;
  w.options.cached_body_bytes_max = 2 * test_message.size();
  auto& far = w.peer("far.example", "9.9.9.1");
  far.plan.delay_at_end = seconds(10);
  w.start();
  w.submit({"x@far.example"});  // takes the only slot, and half of the room for bodies
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(w.order(Order::drop, w.submit({"y@far.example"})));
  w.submit({"z@far.example"});
  w.loop.run_for(minutes(1));
  EXPECT_EQ(far.mails.size(), 2U);
  EXPECT_EQ(w.store.bodies_loaded, 0U);
}

TEST(Dispatcher, reads_bodies_from_the_store_that_it_could_not_hold) {
  World w;
  w.options.cached_body_bytes_max = 3 * test_message.size();
  w.limits.attempts_at_once_max = 2;
  auto& far = w.peer("far.example", "9.9.9.1");
  far.plan.delay_at_end = seconds(1);
  w.start();
  for (int i = 0; i < 20; ++i) w.submit({"x@far.example"});
  w.loop.run_for(minutes(5));
  EXPECT_EQ(far.mails.size(), 20U);
  EXPECT_GE(w.store.bodies_loaded, 10U);
  EXPECT_EQ(w.store.memory.size(), 0U);
}

TEST(Dispatcher, goes_on_after_a_restart) {
  World w;
  auto& far = w.peer("far.example", "9.9.9.1");
  far.plan.recipient = try_later;
  w.start();
  const auto waiting = w.submit({"x@far.example"});
  const auto held = w.submit({"y@far.example"});
  w.loop.run_for(seconds(5));
  EXPECT_TRUE(w.order(Order::hold, held));
  w.stop(seconds(5));
  far.plan.recipient = {};
  w.start();
  EXPECT_EQ(w.dispatcher->counts().messages, 2U);
  EXPECT_EQ(w.dispatcher->find(waiting)->recipients[0].attempts, 1U);
  w.loop.run_for(hours(1));
  EXPECT_EQ(far.mails.size(), 1U);
  EXPECT_TRUE(w.order(Order::release, held));
  w.loop.run_for(seconds(5));
  EXPECT_EQ(far.mails.size(), 2U);
  EXPECT_EQ(w.store.memory.size(), 0U);
}

TEST(Dispatcher, tells_of_a_delay_that_fell_into_a_restart) {
  World w;
  w.peer("far.example", "9.9.9.1").plan.recipient = try_later;
  w.start();
  w.submit({"x@far.example"});
  w.loop.run_for(hours(1));
  w.stop(seconds(5));
  w.loop.run_for(hours(10));
  w.start();
  w.loop.run_for(minutes(1));
  EXPECT_EQ(w.notices().size(), 1U);
  EXPECT_EQ(count_of(w.notice_text(), "Action: delayed"), 1U);
}

TEST(Dispatcher, hands_back_what_is_under_way_when_it_stops) {
  World w;
  auto& silent = w.peer("silent.example", "9.9.9.1");
  auto& slow = w.peer("slow.example", "9.9.9.2");
  silent.plan.silent = true;
  slow.plan.delay_at_end = seconds(3);
  w.start();
  const auto id = w.submit({"x@silent.example", "y@slow.example"});
  w.loop.run_for(seconds(1));
  const auto begun = w.loop.now();
  w.stop(seconds(5));
  EXPECT_LE(w.loop.now() - begun, seconds(12));
  EXPECT_EQ(slow.mails.size(), 1U);
  const auto kept = w.store.memory.load(id).value();
  EXPECT_EQ(kept.recipients[0].state, queue::State::waiting);
  EXPECT_EQ(kept.recipients[1].state, queue::State::delivered);
  EXPECT_EQ(silent.open(), 0U);
  silent.plan.silent = false;
  w.start();
  w.loop.run_for(hours(1));
  EXPECT_EQ(silent.mails.size(), 1U);
  EXPECT_EQ(slow.mails.size(), 1U);
}

TEST(Dispatcher, begins_nothing_new_once_it_stops) {
  World w;
  auto& far = w.peer("far.example", "9.9.9.1");
  w.start();
  w.stop(seconds(5));
  w.submit({"x@far.example"});
  w.loop.run_for(hours(1));
  EXPECT_EQ(far.connections, 0U);
  EXPECT_EQ(w.store.memory.size(), 1U);
}

// A made-up week: hosts answer this way and that, the disk fills up, people give orders, the server
// restarts. In the end each recipient has the message once or the sender was told once.
struct Week {
  std::mt19937_64 engine;
  World w;
  std::vector<Peer*> peers;
  std::vector<std::string> recipients;
  std::vector<QueueId> ids;

  explicit Week(std::uint64_t seed) : engine(seed) {
    for (int i = 0; i < 4; ++i) {
      const auto name = "d" + std::to_string(i) + ".example";
      auto& peer = w.peer(name, "9.9.9." + std::to_string(i + 1));
      peer.plan.recipient = [this](const mail::Recipient& to) { return answer(to); };
      peer.plan.stored = [this](const mail::Envelope&) {
        return one_in(4) ? make_reply(452, "4.3.1", "no room") : make_reply(250, "2.0.0", "queued");
      };
      peers.push_back(&peer);
    }
    w.mailbox.answer = [this](const mail::Address& to) -> Result<void> {
      // The sender reads everything.
      if (to.local != "a" && one_in(4)) return fail(Code::full, "no room");
      return {};
    };
    w.limits.attempts_at_once_max = 5;
    w.limits.retries_at_once_max = 4;
    w.limits.recipients_per_transaction_max = 3;
    w.options.cached_body_bytes_max = 4 * test_message.size();
    w.start();
  }
  bool one_in(std::uint64_t n) { return engine() % n == 0; }
  std::optional<smtp::Reply> answer(const mail::Recipient& to) {
    if (one_in(4)) return try_later(to);
    if (one_in(6)) return no_such_user(to);
    return {};
  }
  void submit() {
    World::Mail mail;
    for (auto count = 1 + engine() % 6; count > 0; --count) {
      const auto domain = engine() % 5;
      const auto number = std::to_string(recipients.size());
      recipients.push_back("r" + number + "@" +
                           (domain == 4 ? "own" : "d" + std::to_string(domain)) + ".example");
      mail.to.push_back(recipients.back());
    }
    ids.push_back(w.submit(std::move(mail)));
  }
  void disturb() {
    for (auto* peer : peers) {
      constexpr HangUp ways[] = {HangUp::no,
                                 HangUp::no,
                                 HangUp::no,
                                 HangUp::at_sender,
                                 HangUp::at_recipient,
                                 HangUp::at_end};
      peer->plan.hangs_up = ways[engine() % std::size(ways)];
      peer->plan.refuses_connections = one_in(6);
      peer->plan.recipients_max = 1 + engine() % 4;
      peer->plan.delay_at_end = milliseconds(engine() % 3000);
      if (one_in(4)) peer->drop_all();
    }
    const auto id = ids[engine() % ids.size()];
    constexpr Order orders[] = {Order::retry, Order::hold, Order::release};
    static_cast<void>(w.order(orders[engine() % 3], id));
  }
  void restart() {
    w.stop(seconds(engine() % 4));
    w.start();
  }
  void live() {
    for (int hour = 0; hour < 48; ++hour) {
      for (auto count = engine() % 3; count > 0; --count) submit();
      if (!ids.empty()) disturb();
      if (one_in(5)) w.store.memory.fail_with(Error{Code::full, "no space"});
      w.loop.run_for(minutes(engine() % 50));
      w.store.memory.fail_with({});
      w.loop.run_for(minutes(10));
      if (one_in(8)) restart();
    }
    for (auto* peer : peers) peer->plan = PeerPlan{};
    w.mailbox.answer = {};
    for (const auto id : ids) static_cast<void>(w.order(Order::release, id));
    w.loop.run_for(hours(24 * 6));
  }
  void judge() {
    EXPECT_EQ(w.store.memory.size(), 0U);
    EXPECT_EQ(w.dispatcher->counts().messages, 0U);
    std::map<std::string, std::size_t> ends;
    for (const auto* peer : peers)
      for (const auto& mail : peer->mails)
        for (const auto& to : mail.envelope.recipients) ++ends[to.address.text()];
    for (const auto& [user, mails] : w.mailbox.kept)
      if (user != "a@own.example") ends[user] += mails.size();
    for (const auto& notice : w.notices()) {
      auto part = std::string_view(notice.text);
      for (auto at = part.find("Final-Recipient: rfc822; "); at != std::string_view::npos;
           at = part.find("Final-Recipient: rfc822; ")) {
        part.remove_prefix(at + 25);
        const auto who = std::string(part.substr(0, part.find("\r\n")));
        if (part.substr(0, part.find("\r\n\r\n")).contains("Action: failed")) ++ends[who];
      }
    }
    for (const auto& recipient : recipients) EXPECT_EQ(ends[recipient], 1U) << recipient;
    EXPECT_EQ(ends.size(), recipients.size());
  }
};

TEST(Dispatcher, ends_every_recipient_once_whatever_happens) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Week week(seed);
    week.live();
    week.judge();
    EXPECT_GT(week.recipients.size(), 20U);
    if (testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace tapal::delivery
