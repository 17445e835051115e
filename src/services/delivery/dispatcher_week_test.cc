#include <map>
#include <random>

#include <gtest/gtest.h>

#include "services/delivery/dispatcher_test_world.h"

namespace tapal::delivery {
namespace {

using smtp::make_reply;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using Order = Dispatcher::Order;
using HangUp = PeerPlan::HangUp;

// A made-up week: hosts answer this way and that, the disk fills up, people give orders, the server
// restarts. In the end each recipient has the message once or the sender was told once.
struct Week {
  std::mt19937_64 engine;
  DispatcherTestWorld w;
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
    DispatcherTestWorld::Mail mail;
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
