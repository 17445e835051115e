// A dispatcher with its store, mailbox and courier on a loop of virtual time, for tests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "ports/memory_store.h"
#include "ports/test_handover.h"
#include "services/delivery/dispatcher.h"
#include "services/delivery/test_world.h"

namespace tapal::delivery {

// A MemoryStore that tells what it was asked to change.
class WatchedStore final : public Store {
 public:
  QueueId new_id(WallTime now) override { return memory.new_id(now); }
  std::unique_ptr<BodyWriter> new_body() override { return memory.new_body(); }
  Task<Result<std::vector<BodyPtr>>> commit(Loop& loop,
                                            StoreChange change,
                                            Durability durability) override {
    ++commits;
    for (std::size_t turn = 0; turn < turns_of_a_commit; ++turn) co_await switch_to(loop);
    const auto timer = loop.make_timer();
    if (commit_takes > Duration{}) co_await timer->wait_until(loop.now() + commit_takes);
    for (const auto& added : change.added)
      if (added.message.origin.kind == queue::Origin::Kind::notice)
        notice_commits.push_back({change.updated.size() + change.removed.size(), durability});
    co_return co_await memory.commit(loop, std::move(change), durability);
  }
  Result<BodyPtr> load_body(QueueId id) override {
    ++bodies_loaded;
    return memory.load_body(id);
  }
  Result<queue::Message> load(QueueId id) override {
    if (closed) return fail(Code::try_later, "closed after an error");
    return memory.load(id);
  }
  Result<void> scan(QueueId after, std::move_only_function<bool(queue::Message)> each) override {
    return memory.scan(after, std::move(each));
  }
  std::uint64_t free_bytes() const override { return memory.free_bytes(); }

  struct NoticeCommit {
    std::size_t states;  // of other messages in the same change
    Durability durability;
  };
  MemoryStore memory;
  bool closed = false;  // to readers
  std::size_t commits = 0;
  std::size_t turns_of_a_commit = 0;  // others have so many before it is done
  Duration commit_takes{};
  std::size_t bodies_loaded = 0;
  std::vector<NoticeCommit> notice_commits;
};

struct DispatcherTestWorld : CourierTestWorld {
  WatchedStore store;
  MemoryRecords records;
  MemoryMailbox mailbox;
  FakePrograms programs;
  FakeHttpClient http;
  std::string host_name = "mx.own.example";
  queue::SchedulerLimits limits;
  std::size_t signatures = 0;
  std::vector<mail::Recipient> notices_go_to;  // empty: to the sender
  shaping::ProviderTable providers = shaping::read_providers({}, {}).value();
  shaping::ShaperOptions shaping;
  std::optional<shaping::Shaper> shaper;
  std::optional<Sites> sites;
  MemoryMarks marks;
  std::optional<Carriers> carriers;
  std::unique_ptr<Dispatcher> dispatcher;
  TaskGroup running;
  bool ended = false;
  std::uint32_t ids = 0;

  ~DispatcherTestWorld() { stop(std::chrono::seconds(0)); }

  void start() {
    begin();
    loop.run();
  }
  void begin() {
    courier_.reset();
    shaper.emplace(shaping, providers);
    sites.emplace(SitesWorld{loop, names, random, options, own, providers});
    carriers.emplace(CarriersWorld{
        .loop = loop,
        .clock = loop,
        .couriers = {&courier()},
        .mailbox = mailbox,
        .programs = programs,
        .http = http,
        .options = options,
        .sites = *sites,
        .is_local = [](const mail::Address& to) { return to.domain == "own.example"; }});
    dispatcher = std::make_unique<Dispatcher>(
        DispatcherWorld{.loop = loop,
                        .clock = loop,
                        .random = random,
                        .log = log,
                        .store = store,
                        .records = records,
                        .carriers = *carriers,
                        .shaper = *shaper,
                        .memory = nullptr,
                        .marks = &marks,
                        .options = options,
                        .host_name = host_name,
                        .sign_notice =
                            [this](std::string_view) {
                              ++signatures;
                              return std::string("DKIM-Signature: by the test\r\n");
                            },
                        .place_notice = [this](const auto&) { return notices_go_to; }},
        queue::RetrySchedule{},
        limits);
    dispatcher->load();
    ended = false;
    const auto run = [](DispatcherTestWorld& w) -> Task<void> {
      co_await w.dispatcher->run();
      w.ended = true;
    };
    running.spawn(run(*this));
  }
  void stop(std::chrono::seconds grace) {
    if (!dispatcher || ended) return;
    dispatcher->stop(grace);
    loop.run_until([this] { return ended; }, std::chrono::hours(1));
    ASSERT_TRUE(ended);
  }

  struct Mail {
    std::vector<std::string> to;
    std::optional<mail::Address> from = mail::Address{"a", "own.example"};
    bool authenticated = true;
    mail::Notify notify = {};
    std::string text = test_message;
    mail::Handover handover = {};
  };
  QueueId submit(Mail mail) {
    auto [message, body] = keep(std::move(mail), loop.wall_now());
    const auto id = message.id;
    dispatcher->accept(std::move(message), std::move(body));
    loop.run();
    return id;
  }
  // Into the store alone, as a run before this one left it.
  QueueId leave(std::vector<std::string> to, WallTime arrived) {
    return keep(Mail{.to = std::move(to)}, arrived).first.id;
  }
  std::pair<queue::Message, BodyPtr> keep(Mail mail, WallTime arrived) {
    mail::Envelope envelope{.return_path = mail.from};
    for (const auto& to : mail.to)
      envelope.recipients.push_back({.address = mail::parse_address(to).value(),
                                     .notify = mail.notify,
                                     .original = {},
                                     .handover = mail.handover});
    const auto id = QueueId::make(arrived, ++ids);
    auto message = queue::new_message(id, std::move(envelope), arrived);
    message.origin.authenticated = mail.authenticated;
    message.body_bytes = mail.text.size();
    StoreChange change;
    auto body = store.new_body();
    EXPECT_TRUE(body->append(mail.text));
    change.added.push_back({message, std::move(body)});
    auto bodies = loop.wait(store.commit(loop, std::move(change), Durability::synced)).value();
    EXPECT_TRUE(bodies);
    return {std::move(message), std::move(bodies->front())};
  }
  QueueId submit(std::vector<std::string> to) { return submit(Mail{.to = std::move(to)}); }
  Result<Ordered> order(queue::Order what, queue::Filter filter) {
    return loop.wait(dispatcher->order(std::move(what), std::move(filter))).value();
  }
  Result<Ordered> order(queue::Order::Kind what, QueueId id) {
    return order(queue::Order{.kind = what, .text = {}, .route = {}}, only(id));
  }
  Result<Ordered> order_all(queue::Order::Kind what) {
    return order(queue::Order{.kind = what, .text = {}, .route = {}}, queue::Filter());
  }
  static queue::Filter only(QueueId id) {
    queue::Filter filter;
    filter.ids = {id};
    return filter;
  }
  static queue::Filter to_domain(std::string domain) {
    queue::Filter filter;
    filter.domain = std::move(domain);
    return filter;
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

inline std::optional<smtp::Reply> try_later(const mail::Recipient&) {
  return smtp::make_reply(451, "4.3.0", "not now");
}
inline std::optional<smtp::Reply> no_such_user(const mail::Recipient&) {
  return smtp::make_reply(550, "5.1.1", "no such user");
}

}  // namespace tapal::delivery
