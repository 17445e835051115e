#include "rules/queue/scheduler.h"

#include <algorithm>
#include <array>
#include <map>
#include <random>
#include <set>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "rules/queue/message_life.h"
#include "rules/queue/order.h"

namespace tapal::queue {
namespace {

using namespace std::chrono_literals;
using Reason = WaitFact::Reason;

const WallTime noon{std::chrono::milliseconds(1'700'000'000'000)};

Message message_to(std::uint64_t id,
                   std::initializer_list<std::string_view> domains,
                   WallTime due = noon) {
  Message message;
  message.id = QueueId{id};
  message.arrived = noon;
  for (const std::string_view domain : domains) {
    RecipientState& state = message.recipients.emplace_back();
    state.recipient.address = {"user", std::string(domain)};
    state.next_attempt = due;
  }
  return message;
}

Message with(Message message, State state) {
  for (RecipientState& recipient : message.recipients) recipient.state = state;
  return message;
}

std::vector<std::uint64_t> pick_all(Scheduler& scheduler, WallTime now) {
  std::vector<std::uint64_t> ids;
  while (const auto job = scheduler.next(now)) ids.push_back(job->id.value);
  return ids;
}

TEST(Scheduler, an_empty_one_has_nothing_to_do) {
  Scheduler scheduler;
  EXPECT_FALSE(scheduler.next(noon));
  EXPECT_EQ(scheduler.next_due(), std::nullopt);
  EXPECT_FALSE(scheduler.full());
  EXPECT_TRUE(scheduler.why(QueueId{1}, noon).empty());
}

TEST(Scheduler, groups_the_recipients_of_one_destination) {
  Scheduler scheduler;
  scheduler.add(message_to(1, {"a.example", "b.example", "a.example"}));
  std::map<std::string, std::vector<std::uint32_t>> jobs;
  while (const auto job = scheduler.next(noon)) jobs[job->destination] = job->recipients;
  EXPECT_EQ(jobs,
            (std::map<std::string, std::vector<std::uint32_t>>{{"a.example", {0, 2}},
                                                               {"b.example", {1}}}));
}

TEST(Scheduler, callers_may_name_the_destinations) {
  Scheduler scheduler;
  const Place site[] = {{"mx.site", "mx.site"}, {"mx.site", "mx.site"}};
  scheduler.add(message_to(1, {"a.example", "b.example"}), site);
  const auto job = scheduler.next(noon);
  ASSERT_TRUE(job);
  EXPECT_EQ(job->destination, "mx.site");
  EXPECT_EQ(job->recipients, (std::vector<std::uint32_t>{0, 1}));
}

TEST(Scheduler, nothing_starts_before_its_time) {
  Scheduler scheduler;
  scheduler.add(message_to(1, {"a.example"}, noon + 10s));
  EXPECT_FALSE(scheduler.next(noon + 9s));
  EXPECT_EQ(scheduler.next_due(), noon + 10s);
  EXPECT_TRUE(scheduler.next(noon + 10s));
}

TEST(Scheduler, the_longest_due_of_a_destination_comes_first) {
  Scheduler scheduler;
  scheduler.add(message_to(1, {"a.example"}, noon + 3s));
  scheduler.add(message_to(2, {"a.example"}, noon + 1s));
  scheduler.add(message_to(3, {"a.example"}, noon + 2s));
  scheduler.add(message_to(4, {"a.example"}, noon + 1s));
  EXPECT_EQ(pick_all(scheduler, noon + 5s), (std::vector<std::uint64_t>{2, 4, 3, 1}));
}

TEST(Scheduler, a_busy_destination_does_not_starve_the_others) {
  Scheduler scheduler;
  for (std::uint64_t id = 1; id <= 1'000; ++id) scheduler.add(message_to(id, {"busy.example"}));
  scheduler.add(message_to(5'000, {"small.example"}, noon + 1s));
  std::vector<std::uint64_t> first;
  for (int i = 0; i < 3; ++i) first.push_back(scheduler.next(noon + 2s)->id.value);
  EXPECT_TRUE(std::ranges::count(first, 5'000U)) << "within one turn";
}

TEST(Scheduler, a_dead_destination_takes_only_its_own_slots) {
  Scheduler scheduler({.attempts_per_site_max = 3});
  for (std::uint64_t id = 1; id <= 100; ++id) scheduler.add(message_to(id, {"dead.example"}));
  EXPECT_EQ(pick_all(scheduler, noon).size(), 3U);
  scheduler.add(message_to(200, {"fine.example"}));
  EXPECT_EQ(pick_all(scheduler, noon), std::vector<std::uint64_t>{200});
  EXPECT_EQ(scheduler.next_due(), std::nullopt) << "only finished() can help";
}

TEST(Scheduler, failed_mail_leaves_room_for_new_mail) {
  Scheduler scheduler({.attempts_at_once_max = 10, .retries_at_once_max = 6});
  for (std::uint64_t id = 1; id <= 50; ++id) {
    Message message = message_to(id, {fmt::format("site{}.example", id)});
    message.recipients[0].attempts = 1;
    scheduler.add(message);
  }
  EXPECT_EQ(pick_all(scheduler, noon).size(), 6U);
  EXPECT_EQ(scheduler.next_due(), std::nullopt);
  for (std::uint64_t id = 100; id < 110; ++id) scheduler.add(message_to(id, {"new.example"}));
  EXPECT_EQ(pick_all(scheduler, noon).size(), 4U);
}

TEST(Scheduler, new_and_failed_mail_take_turns) {
  Scheduler scheduler;
  for (std::uint64_t id = 1; id <= 4; ++id) {
    scheduler.add(message_to(id, {"a.example"}));
    Message failed = message_to(id + 10, {"b.example"});
    failed.recipients[0].attempts = 1;
    scheduler.add(failed);
  }
  std::vector<Lane> lanes;
  while (const auto job = scheduler.next(noon)) lanes.push_back(job->lane);
  ASSERT_EQ(lanes.size(), 8U);
  for (std::size_t i = 1; i < lanes.size(); ++i) EXPECT_NE(lanes[i], lanes[i - 1]);
}

TEST(Scheduler, many_recipients_are_split_into_transactions) {
  Scheduler scheduler({.recipients_per_transaction_max = 100});
  Message message = message_to(1, {});
  for (int i = 0; i < 250; ++i) {
    message.recipients.push_back(message_to(1, {"a.example"}).recipients[0]);
  }
  scheduler.add(message);
  std::vector<Job> jobs;
  while (auto job = scheduler.next(noon)) jobs.push_back(*std::move(job));
  ASSERT_EQ(jobs.size(), 3U);
  std::set<std::uint32_t> seen;
  for (const Job& job : jobs) {
    EXPECT_LE(job.recipients.size(), 100U);
    EXPECT_TRUE(std::ranges::is_sorted(job.recipients));
    seen.insert(job.recipients.begin(), job.recipients.end());
  }
  EXPECT_EQ(seen.size(), 250U);
  EXPECT_EQ(scheduler.counts().in_flight, 250U);
  for (const Job& job : jobs) EXPECT_TRUE(scheduler.finished(job, with(message, State::delivered)));
  EXPECT_FALSE(scheduler.contains(QueueId{1}));
  EXPECT_EQ(scheduler.counts().destinations, 0U);
}

TEST(Scheduler, finished_files_again_what_still_waits) {
  Scheduler scheduler;
  Message message = message_to(1, {"a.example", "a.example", "a.example"});
  scheduler.add(message);
  const auto job = scheduler.next(noon);
  message.recipients[0].state = State::delivered;
  for (const int i : {1, 2}) {
    message.recipients[static_cast<std::size_t>(i)].attempts = 1;
    message.recipients[static_cast<std::size_t>(i)].next_attempt = noon + i * 60s;
  }
  EXPECT_TRUE(scheduler.finished(*job, message));
  EXPECT_EQ(scheduler.next_due(), noon + 60s);
  const auto second = scheduler.next(noon + 60s);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->recipients, std::vector<std::uint32_t>{1});
  EXPECT_EQ(second->lane, Lane::retry);
  EXPECT_EQ(scheduler.next_due(), noon + 120s);
}

TEST(Scheduler, a_job_handed_back_unchanged_is_due_again) {
  Scheduler scheduler;
  const Message message = message_to(1, {"a.example"});
  scheduler.add(message);
  const auto job = scheduler.next(noon);
  EXPECT_TRUE(scheduler.finished(*job, message));
  EXPECT_TRUE(scheduler.next(noon));
}

TEST(Scheduler, a_message_is_added_once_and_one_without_work_not_at_all) {
  Scheduler scheduler;
  scheduler.add(message_to(1, {"a.example"}));
  scheduler.add(message_to(1, {"a.example"}));
  scheduler.add(with(message_to(2, {"a.example"}), State::delivered));
  EXPECT_EQ(scheduler.counts().messages, 1U);
  EXPECT_EQ(pick_all(scheduler, noon).size(), 1U);
}

TEST(Scheduler, held_waits_until_released) {
  Scheduler scheduler;
  scheduler.add(with(message_to(1, {"a.example"}), State::held));
  scheduler.add(message_to(2, {"a.example"}));
  EXPECT_TRUE(scheduler.hold(QueueId{2}));
  EXPECT_FALSE(scheduler.next(noon + 24h));
  EXPECT_EQ(scheduler.counts().held, 2U);
  EXPECT_EQ(scheduler.why(QueueId{2}, noon).at(0).reason, Reason::held);
  scheduler.refile(message_to(1, {"a.example"}));
  scheduler.refile(message_to(2, {"a.example"}));
  EXPECT_EQ(pick_all(scheduler, noon), (std::vector<std::uint64_t>{1, 2}));
  scheduler.refile(message_to(9, {"a.example"}));
  EXPECT_FALSE(scheduler.next(noon) || scheduler.hold(QueueId{9}) || scheduler.drop(QueueId{9}));
}

TEST(Scheduler, a_hold_while_in_flight_takes_effect_when_it_comes_back) {
  Scheduler scheduler;
  const Message message = message_to(1, {"a.example"});
  scheduler.add(message);
  const auto job = scheduler.next(noon);
  EXPECT_TRUE(scheduler.hold(QueueId{1}));
  EXPECT_TRUE(scheduler.finished(*job, message));
  EXPECT_FALSE(scheduler.next(noon + 24h));
  scheduler.refile(message);
  EXPECT_TRUE(scheduler.next(noon));
}

TEST(Scheduler, what_is_filed_again_may_be_due_sooner) {
  Scheduler scheduler;
  scheduler.add(message_to(1, {"a.example"}, noon + 4h));
  EXPECT_FALSE(scheduler.next(noon));
  scheduler.refile(message_to(1, {"a.example"}, noon));
  EXPECT_TRUE(scheduler.next(noon));
}

TEST(Scheduler, dropped_is_forgotten_at_once_or_when_it_comes_back) {
  Scheduler scheduler;
  const Message message = message_to(2, {"a.example", "b.example"});
  scheduler.add(message_to(1, {"a.example"}, noon + 1h));
  scheduler.add(message);
  const auto job = scheduler.next(noon);
  EXPECT_TRUE(scheduler.drop(QueueId{1}));
  EXPECT_FALSE(scheduler.contains(QueueId{1}));
  EXPECT_TRUE(scheduler.drop(QueueId{2}));
  EXPECT_TRUE(scheduler.is_dropped(QueueId{2}));
  EXPECT_FALSE(scheduler.next(noon + 24h)) << "its other destination is not tried any more";
  EXPECT_FALSE(scheduler.finished(*job, message));
  EXPECT_FALSE(scheduler.contains(QueueId{2}));
  EXPECT_EQ(scheduler.counts().destinations, 0U);
}

TEST(Scheduler, full_at_either_bound_and_free_again) {
  Scheduler by_messages({.messages_waiting_max = 2});
  by_messages.add(message_to(1, {"a.example"}));
  EXPECT_FALSE(by_messages.full());
  by_messages.add(message_to(2, {"a.example"}));
  EXPECT_TRUE(by_messages.full());
  by_messages.add(message_to(3, {"a.example"}));
  EXPECT_EQ(by_messages.counts().messages, 3U) << "what was acknowledged is kept";
  by_messages.drop(QueueId{1}), by_messages.drop(QueueId{2});
  EXPECT_FALSE(by_messages.full());
  Scheduler by_recipients({.recipients_waiting_max = 3});
  by_recipients.add(message_to(1, {"a.example", "b.example", "c.example"}));
  EXPECT_TRUE(by_recipients.full());
}

TEST(Scheduler, says_why_a_message_waits) {
  Scheduler scheduler({.attempts_at_once_max = 3, .attempts_per_site_max = 2});
  for (std::uint64_t id = 1; id <= 3; ++id) scheduler.add(message_to(id, {"a.example"}));
  scheduler.add(message_to(4, {"b.example"}, noon + 1h));
  EXPECT_EQ(scheduler.why(QueueId{3}, noon).at(0).reason, Reason::turn);
  EXPECT_EQ(pick_all(scheduler, noon), (std::vector<std::uint64_t>{1, 2}));
  EXPECT_EQ(scheduler.why(QueueId{1}, noon).at(0).reason, Reason::in_flight);
  const WaitFact blocked = scheduler.why(QueueId{3}, noon).at(0);
  EXPECT_EQ(blocked.reason, Reason::site_limit);
  EXPECT_EQ(blocked.occupied_by, (std::vector<QueueId>{QueueId{1}, QueueId{2}}));
  const WaitFact later = scheduler.why(QueueId{4}, noon).at(0);
  EXPECT_EQ(later.reason, Reason::time);
  EXPECT_EQ(later.due, noon + 1h);
  EXPECT_EQ(later.destination, "b.example");
  scheduler.add(message_to(5, {"c.example"}));
  scheduler.add(message_to(6, {"d.example"}));
  EXPECT_EQ(pick_all(scheduler, noon).size(), 1U);
  EXPECT_EQ(scheduler.why(QueueId{6}, noon).at(0).reason, Reason::total_limit);
}

TEST(Scheduler, files_anew_what_was_changed_by_hand) {
  Scheduler scheduler;
  auto message = message_to(1, {"a.example", "b.example", "c.example"});
  scheduler.add(message);
  const Job job = scheduler.next(noon).value();
  EXPECT_EQ(scheduler.in_flight(QueueId{1}), job.recipients);
  message.recipients[1].state = State::held;
  message.recipients[2].next_attempt = noon + 1h;
  const std::vector<Place> moved{
      {"a.example", "a.example"}, {"b.example", "b.example"}, {"relay", "relay"}};
  scheduler.refile(message, moved);
  EXPECT_EQ(scheduler.counts().held, 1U);
  EXPECT_EQ(scheduler.counts().in_flight, 1U);
  EXPECT_FALSE(scheduler.next(noon));
  EXPECT_EQ(scheduler.next(noon + 1h).value().destination, "relay");
  message.recipients[0].state = State::delivered;
  EXPECT_TRUE(scheduler.finished(job, message));
  scheduler.refile(message_to(2, {"a.example"}));
  EXPECT_FALSE(scheduler.contains(QueueId{2})) << "it was not there";
  EXPECT_TRUE(scheduler.in_flight(QueueId{2}).empty());
}

TEST(Scheduler, shows_the_busiest_sites) {
  Scheduler scheduler({.attempts_at_once_max = 1});
  for (std::uint64_t id = 1; id <= 5; ++id) scheduler.add(message_to(id, {"a.example"}));
  scheduler.add(message_to(6, {"b.example"}, noon + 1h));
  scheduler.add(with(message_to(7, {"b.example"}), State::held));
  ASSERT_TRUE(scheduler.next(noon));
  const auto shown = scheduler.sites(10);
  ASSERT_EQ(shown.size(), 2U);
  EXPECT_EQ(shown[0].site, "a.example");
  EXPECT_EQ(shown[0].waiting, 4U);
  EXPECT_EQ(shown[0].attempts, 1U);
  EXPECT_EQ(shown[1].waiting, 1U);
  EXPECT_EQ(shown[1].held, 1U);
  EXPECT_EQ(shown[1].next_due, noon + 1h);
  EXPECT_EQ(scheduler.sites(1).size(), 1U);
}

// A model that knows the messages and nothing of lines, rings and heaps.
struct World {
  SchedulerLimits limits{.attempts_at_once_max = 12,
                         .retries_at_once_max = 8,
                         .attempts_per_site_max = 3,
                         .recipients_per_transaction_max = 4};
  Scheduler scheduler{limits};
  std::map<std::uint64_t, Message> messages;
  std::vector<Job> jobs;
  std::mt19937_64 random;
  WallTime now = noon;
  std::uint64_t next_id = 0;
  RetrySchedule schedule;

  void add() {
    Message message = message_to(++next_id, {}, now);
    for (std::uint64_t i = 1 + random() % 8; i > 0; --i) {
      const std::string domain = fmt::format("site{}.example", random() % 6);
      message.recipients.push_back(message_to(1, {domain}, now).recipients[0]);
    }
    message.arrived = now;
    scheduler.add(message);
    messages[next_id] = std::move(message);
  }

  // Laws of a job: due, waiting, of one destination, in no other job, within the limits.
  void pick() {
    auto job = scheduler.next(now);
    if (!job) return;
    const Message& message = messages.at(job->id.value);
    ASSERT_FALSE(job->recipients.empty());
    ASSERT_LE(job->recipients.size(), limits.recipients_per_transaction_max);
    for (const std::uint32_t i : job->recipients) {
      const RecipientState& state = message.recipients.at(i);
      ASSERT_EQ(state.state, State::waiting);
      ASSERT_LE(state.next_attempt, now);
      ASSERT_EQ(state.recipient.address.domain, job->destination);
      ASSERT_EQ(job->lane == Lane::first, state.attempts == 0);
    }
    std::size_t there = 1, retries = job->lane == Lane::retry;
    for (const Job& other : jobs) {
      there += other.destination == job->destination;
      retries += other.lane == Lane::retry;
      if (other.id != job->id) continue;
      for (const std::uint32_t i : job->recipients)
        ASSERT_FALSE(std::ranges::count(other.recipients, i));
    }
    ASSERT_LE(there, limits.attempts_per_site_max);
    ASSERT_LE(retries, limits.retries_at_once_max);
    jobs.push_back(*std::move(job));
    ASSERT_LE(jobs.size(), limits.attempts_at_once_max);
  }

  void finish() {
    if (jobs.empty()) return;
    const std::size_t which = random() % jobs.size();
    const Job job = jobs[which];
    jobs.erase(jobs.begin() + static_cast<std::ptrdiff_t>(which));
    Message& message = messages.at(job.id.value);
    std::vector<Attempted> results;
    for (const std::uint32_t i : job.recipients) {
      const auto kind = static_cast<Attempted::Result>(random() % 3);
      if (random() % 10 != 0) results.push_back({i, kind, {}});  // or handed back
    }
    apply_attempt(message, results, schedule, now, random());
    const bool was_dropped = scheduler.is_dropped(job.id);
    ASSERT_EQ(scheduler.finished(job, message), !was_dropped);
    if (was_dropped && !scheduler.contains(job.id)) messages.erase(job.id.value);
  }

  void command() {
    if (messages.empty()) return;
    const auto place =
        std::next(messages.begin(), static_cast<std::ptrdiff_t>(random() % messages.size()));
    Message& message = place->second;
    if (scheduler.is_dropped(message.id)) return;
    switch (random() % 5) {
      case 0: scheduler.hold(message.id), hold(message); break;
      case 1: release(message, now), scheduler.refile(message); break;
      case 2: retry_now(message, now), scheduler.refile(message); break;
      case 3: order_some(message); break;
      default: {
        if (random() % 5 != 0 || !scheduler.drop(message.id)) return;
        if (!scheduler.contains(message.id)) messages.erase(place);
      }
    }
  }

  // By hand, for some of its recipients, among them such as are in flight.
  void order_some(Message& message) {
    constexpr std::array kinds{Order::Kind::retry, Order::Kind::hold, Order::Kind::release};
    const bool ends = random() % 20 == 0;
    const Order order{ends ? Order::Kind::drop : kinds[random() % kinds.size()], {}, {}};
    for (RecipientState& recipient : message.recipients)
      if (random() % 2 == 0) apply_order(order, recipient, now);
    scheduler.refile(message);
  }

  void check_counts() {
    std::size_t open = 0, held = 0, in_flight = 0;
    for (const Job& job : jobs) in_flight += job.recipients.size();
    for (const auto& [id, message] : messages) {
      if (scheduler.is_dropped(message.id)) continue;
      std::set<std::uint32_t> out;
      for (const Job& job : jobs) {
        if (job.id == message.id) out.insert(job.recipients.begin(), job.recipients.end());
      }
      for (std::uint32_t i = 0; i < message.recipients.size(); ++i) {
        if (out.contains(i)) continue;
        open += message.recipients[i].state == State::waiting;
        held += message.recipients[i].state == State::held;
      }
    }
    const QueueCounts counts = scheduler.counts();
    ASSERT_EQ(counts.waiting, open);
    ASSERT_EQ(counts.held, held);
    ASSERT_EQ(counts.in_flight, in_flight);
    ASSERT_EQ(counts.attempts, jobs.size());
  }
};

TEST(Scheduler, keeps_its_laws_whatever_is_done_and_ends_everything) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    World world;
    world.random.seed(seed);
    for (int step = 0; step < 2'000; ++step) {
      switch (world.random() % 8) {
        case 0: world.add(); break;
        case 1: world.now += std::chrono::seconds(world.random() % 900); break;
        case 2: world.command(); break;
        case 3:
        case 4: world.finish(); break;
        default: world.pick();
      }
      if (step % 20 == 0) world.check_counts();
      if (HasFatalFailure()) FAIL() << "step " << step;
    }
    for (auto& [id, message] : world.messages) {
      release(message, world.now), world.scheduler.refile(message);
    }
    for (int round = 0; world.scheduler.counts().messages > 0; ++round) {
      ASSERT_LT(round, 200'000) << "something is never picked";
      const std::size_t before = world.jobs.size();
      world.pick();
      if (world.jobs.size() != before) continue;
      if (!world.jobs.empty())
        world.finish();
      else
        world.now = std::max(world.now, world.scheduler.next_due().value());
      if (HasFatalFailure()) FAIL();
    }
    EXPECT_EQ(world.scheduler.counts().destinations, 0U);
  }
}

}  // namespace
}  // namespace tapal::queue
