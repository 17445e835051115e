// Sites, senders, priorities, and a gate that holds them back.
#include <algorithm>
#include <map>
#include <random>
#include <set>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "rules/queue/message_life.h"
#include "rules/queue/scheduler.h"

namespace tapal::queue {
namespace {

using namespace std::chrono_literals;
using Reason = WaitFact::Reason;

const WallTime noon{std::chrono::milliseconds(1'700'000'000'000)};

struct Mail {
  std::string domain = "a.example";
  std::string user = {};
  Priority priority = Priority::normal;
  WallTime due = noon;
};

Message message_of(std::uint32_t number, const Mail& mail) {
  Message message;
  message.id = QueueId::make(noon, number);
  message.arrived = noon;
  message.origin.user = mail.user;
  message.priority = mail.priority;
  RecipientState& state = message.recipients.emplace_back();
  state.recipient.address = {"user", mail.domain};
  state.next_attempt = mail.due;
  return message;
}

// Refuses what the test says.
struct FakeGate final : Gate {
  std::expected<Permit, Obstacle> enter(const Crossing& crossing) override {
    if (auto obstacle = look(crossing)) return std::unexpected(*std::move(obstacle));
    ++inside[std::string(crossing.site)];
    return permit;
  }
  void leave(std::string_view site, const Sender&, const Permit&) override {
    --inside[std::string(site)];
  }
  std::optional<Obstacle> look(const Crossing& crossing) const override {
    return crossing.urgency == Urgency::last ? std::nullopt : refuse(crossing);
  }

  std::function<std::optional<Obstacle>(const Crossing&)> refuse = [](const Crossing&) {
    return std::nullopt;
  };
  Permit permit;
  std::map<std::string, int> inside;
};

std::vector<std::uint32_t> pick_all(Scheduler& scheduler, WallTime now) {
  std::vector<std::uint32_t> numbers;
  while (const auto job = scheduler.next(now))
    numbers.push_back(static_cast<std::uint32_t>(job->id.value & 0x3fffffU));
  return numbers;
}

TEST(SchedulerSites, all_domains_of_a_site_share_its_limit) {
  Scheduler scheduler({.attempts_per_site_max = 3});
  for (std::uint32_t i = 1; i <= 10; ++i) {
    const Place place[] = {{fmt::format("tenant{}.example", i), "gmail"}};
    scheduler.add(message_of(i, {}), place);
  }
  scheduler.add(message_of(50, {.domain = "other.example"}));
  EXPECT_EQ(pick_all(scheduler, noon).size(), 4U);
  EXPECT_EQ(scheduler.counts().sites, 2U);
  const WaitFact fact = scheduler.why(QueueId::make(noon, 10), noon).at(0);
  EXPECT_EQ(fact.reason, Reason::site_limit);
  EXPECT_EQ(fact.site, "gmail");
  EXPECT_EQ(fact.destination, "tenant10.example");
}

TEST(SchedulerSites, attempts_at_a_site_have_slots_that_are_used_again) {
  Scheduler scheduler({.attempts_per_site_max = 3});
  for (std::uint32_t i = 1; i <= 5; ++i) scheduler.add(message_of(i, {}));
  std::vector<Job> jobs;
  while (auto job = scheduler.next(noon)) jobs.push_back(*std::move(job));
  ASSERT_EQ(jobs.size(), 3U);
  EXPECT_EQ(jobs[0].slot + jobs[1].slot + jobs[2].slot, 0U + 1U + 2U);
  Message done = message_of(2, {});
  done.recipients[0].state = State::delivered;
  const auto second = std::ranges::find(jobs, done.id, &Job::id);
  second->stays_connected = true;
  EXPECT_TRUE(scheduler.finished(*second, done));
  const auto refused = std::ranges::find(jobs, QueueId::make(noon, 1), &Job::id);
  EXPECT_TRUE(scheduler.finished(*refused, message_of(1, {.due = noon + 1h})));
  EXPECT_EQ(scheduler.next(noon)->slot, second->slot) << "its connection is open";
}

TEST(SchedulerSites, one_attempt_finds_out_where_a_destination_is_and_the_rest_moves_there) {
  Scheduler scheduler({.attempts_per_site_max = 2});
  const Place unknown[] = {{"a.example", ""}};
  for (std::uint32_t i = 1; i <= 5; ++i) scheduler.add(message_of(i, {}), unknown);
  Message held = message_of(6, {});
  held.recipients[0].state = State::held;
  scheduler.add(held, unknown);
  auto job = scheduler.next(noon);
  ASSERT_TRUE(job);
  EXPECT_FALSE(job->site_known);
  EXPECT_FALSE(scheduler.next(noon)) << "one at a time";
  EXPECT_EQ(scheduler.why(QueueId::make(noon, 2), noon).at(0).site, "");
  ASSERT_TRUE(scheduler.at_site(*job, "mx.host", noon));
  EXPECT_EQ(job->site, "mx.host");
  EXPECT_EQ(pick_all(scheduler, noon).size(), 1U) << "two at the site";
  const auto sites = scheduler.sites(10);
  ASSERT_EQ(sites.size(), 1U);
  EXPECT_EQ(sites[0].site, "mx.host");
  EXPECT_EQ(sites[0].waiting, 3U);
  EXPECT_EQ(sites[0].held, 1U);
  EXPECT_EQ(sites[0].attempts, 2U);
}

TEST(SchedulerSites, a_job_whose_site_has_no_room_is_filed_again) {
  Scheduler scheduler({.attempts_per_site_max = 1});
  const Place known[] = {{"b.example", "mx.host"}};
  scheduler.add(message_of(1, {}), known);
  auto occupant = scheduler.next(noon);
  const Place unknown[] = {{"a.example", ""}};
  scheduler.add(message_of(2, {}), unknown);
  auto job = scheduler.next(noon);
  ASSERT_TRUE(job);
  EXPECT_FALSE(scheduler.at_site(*job, "mx.host", noon));
  EXPECT_EQ(scheduler.counts().attempts, 1U);
  Message done = message_of(1, {});
  done.recipients[0].state = State::delivered;
  EXPECT_TRUE(scheduler.finished(*occupant, done));
  EXPECT_EQ(pick_all(scheduler, noon), std::vector<std::uint32_t>{2});
}

TEST(SchedulerSites, one_senders_million_does_not_starve_anothers_single_mail) {
  Scheduler scheduler({.attempts_per_site_max = 1});
  for (std::uint32_t i = 1; i <= 1'000; ++i) scheduler.add(message_of(i, {.user = "flood"}));
  scheduler.add(message_of(5'000, {.user = "ann", .due = noon + 1s}));
  std::vector<std::uint32_t> order;
  for (int i = 0; i < 3; ++i) {
    const auto job = scheduler.next(noon + 2s);
    ASSERT_TRUE(job);
    order.push_back(static_cast<std::uint32_t>(job->id.value & 0x3fffffU));
    Message done = message_of(order.back(), {});
    done.recipients[0].state = State::delivered;
    scheduler.finished(*job, done);
  }
  EXPECT_TRUE(std::ranges::count(order, 5'000U)) << "within one turn of the senders";
}

TEST(SchedulerSites, priorities_take_turns_by_weight) {
  Scheduler scheduler({.attempts_at_once_max = 1'000, .attempts_per_site_max = 1'000});
  std::uint32_t number = 0;
  for (const auto priority : {Priority::bulk, Priority::normal, Priority::interactive})
    for (int i = 0; i < 100; ++i) scheduler.add(message_of(++number, {.priority = priority}));
  std::map<std::uint32_t, int> of_first_13;  // 0: bulk, 1: normal, 2: interactive
  for (int i = 0; i < 13; ++i)
    ++of_first_13[(static_cast<std::uint32_t>(scheduler.next(noon)->id.value & 0x3fffffU) - 1) /
                  100];
  EXPECT_EQ(of_first_13, (std::map<std::uint32_t, int>{{0, 1}, {1, 4}, {2, 8}}));
  EXPECT_EQ(pick_all(scheduler, noon).size(), 287U) << "and all of it goes";
}

TEST(SchedulerSites, the_gate_shuts_a_site_until_its_time_and_nobody_else) {
  FakeGate gate;
  gate.refuse = [](const Crossing& crossing) -> std::optional<Obstacle> {
    if (crossing.site != "down.example" || crossing.now >= noon + 60s) return {};
    return Obstacle{
        Obstacle::Reason::site_suspended, Obstacle::Scope::site, noon + 60s, "it is down"};
  };
  Scheduler scheduler({}, &gate);
  for (std::uint32_t i = 1; i <= 3; ++i) scheduler.add(message_of(i, {.domain = "down.example"}));
  scheduler.add(message_of(4, {.domain = "up.example"}));
  EXPECT_EQ(pick_all(scheduler, noon), std::vector<std::uint32_t>{4});
  EXPECT_EQ(scheduler.next_due(), noon + 60s);
  const WaitFact fact = scheduler.why(QueueId::make(noon, 2), noon).at(0);
  EXPECT_EQ(fact.reason, Reason::gate);
  EXPECT_EQ(fact.obstacle.text, "it is down");
  EXPECT_EQ(pick_all(scheduler, noon + 60s).size(), 3U);
}

TEST(SchedulerSites, the_gate_puts_off_one_sender_and_lets_the_others_pass) {
  FakeGate gate;
  gate.refuse = [](const Crossing& crossing) -> std::optional<Obstacle> {
    if (crossing.sender.user != "flood" || crossing.now >= noon + 60s) return {};
    return Obstacle{Obstacle::Reason::user_rate, Obstacle::Scope::sender, noon + 60s, {}};
  };
  Scheduler scheduler({}, &gate);
  for (std::uint32_t i = 1; i <= 100; ++i) scheduler.add(message_of(i, {.user = "flood"}));
  scheduler.add(message_of(200, {.user = "ann"}));
  EXPECT_EQ(pick_all(scheduler, noon), std::vector<std::uint32_t>{200});
  EXPECT_EQ(scheduler.next_due(), noon + 60s);
  EXPECT_GE(pick_all(scheduler, noon + 60s).size(), 19U);
}

TEST(SchedulerSites, a_site_that_the_gate_shut_is_asked_again_when_told_or_when_an_attempt_ends) {
  FakeGate gate;
  bool shut = false;
  gate.refuse = [&shut](const Crossing&) -> std::optional<Obstacle> {
    if (!shut) return {};
    return Obstacle{Obstacle::Reason::site_connections, Obstacle::Scope::site, {}, {}};
  };
  Scheduler scheduler({}, &gate);
  for (std::uint32_t i = 1; i <= 3; ++i) scheduler.add(message_of(i, {}));
  const auto job = scheduler.next(noon);
  shut = true;
  EXPECT_FALSE(scheduler.next(noon));
  EXPECT_EQ(scheduler.next_due(), std::nullopt) << "only an attempt's end can help";
  shut = false;
  Message done = message_of(1, {});
  done.recipients[0].state = State::delivered;
  scheduler.finished(*job, done);
  const auto second = scheduler.next(noon);
  ASSERT_TRUE(second);
  EXPECT_EQ(gate.inside["a.example"], 1);
  shut = true;
  EXPECT_FALSE(scheduler.next(noon));
  shut = false;
  scheduler.reconsider("a.example");
  EXPECT_TRUE(scheduler.next(noon));
}

TEST(SchedulerSites, mail_past_its_time_is_the_gates_last) {
  FakeGate gate;
  gate.refuse = [](const Crossing& crossing) {
    return Obstacle{Obstacle::Reason::site_suspended, Obstacle::Scope::site, crossing.now + 1h, {}};
  };
  Scheduler scheduler({.give_up = std::chrono::hours(24)}, &gate);
  scheduler.add(message_of(1, {}));
  EXPECT_FALSE(scheduler.next(noon + 23h));
  EXPECT_TRUE(scheduler.next(noon + 25h));
}

TEST(SchedulerSites, the_gate_bounds_the_recipients_of_a_transaction) {
  FakeGate gate;
  gate.permit.recipients_max = 2;
  Scheduler scheduler({}, &gate);
  Message message = message_of(1, {});
  for (int i = 0; i < 4; ++i) message.recipients.push_back(message.recipients[0]);
  scheduler.add(message);
  std::vector<std::size_t> sizes;
  while (const auto job = scheduler.next(noon)) sizes.push_back(job->recipients.size());
  EXPECT_EQ(sizes, (std::vector<std::size_t>{2, 2, 1}));
}

// Many destinations whose sites are found out as they are tried, a gate with moods: what must hold
// holds, and in the end everything has gone.
TEST(SchedulerSites, keeps_its_laws_with_a_gate_of_moods_and_ends_everything) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    FakeGate gate;
    bool moody = true;
    gate.refuse = [&](const Crossing& crossing) -> std::optional<Obstacle> {
      if (!moody || random() % 3 != 0) return {};
      const bool of_site = random() % 2 == 0;
      Obstacle obstacle{Obstacle::Reason::site_rate,
                        of_site ? Obstacle::Scope::site : Obstacle::Scope::sender,
                        crossing.now + std::chrono::seconds(random() % 100),
                        {}};
      if (random() % 3 == 0) obstacle.until.reset();
      return obstacle;
    };
    const SchedulerLimits limits{.attempts_at_once_max = 9, .attempts_per_site_max = 2};
    Scheduler scheduler(limits, &gate);
    std::map<QueueId, Message> messages;
    std::vector<Job> jobs;
    WallTime now = noon;
    std::uint32_t number = 0;
    const auto add = [&] {
      const auto domain = random() % 12;
      Message message = message_of(++number,
                                   {.domain = fmt::format("d{}.example", domain),
                                    .user = fmt::format("user{}", random() % 3),
                                    .priority = static_cast<Priority>(random() % 3),
                                    .due = now});
      const bool known = random() % 4 == 0;
      const Place place[] = {{message.recipients[0].recipient.address.domain,
                              known ? fmt::format("site{}", domain % 4) : std::string()}};
      scheduler.add(message, place);
      messages[message.id] = std::move(message);
    };
    const auto pick = [&] {
      auto job = scheduler.next(now);
      if (!job) return;
      if (!job->site_known) {
        const auto domain = std::stoul(job->destination.substr(1));
        if (!scheduler.at_site(*job, fmt::format("site{}", domain % 4), now)) return;
      }
      jobs.push_back(*std::move(job));
      std::map<std::string, std::set<std::uint32_t>> slots;
      for (const Job& each : jobs) ASSERT_TRUE(slots[each.site].insert(each.slot).second);
      for (const auto& [site, taken] : slots) ASSERT_LE(taken.size(), limits.attempts_per_site_max);
      ASSERT_LE(jobs.size(), limits.attempts_at_once_max);
    };
    const auto finish = [&] {
      if (jobs.empty()) return;
      const auto which = jobs.begin() + static_cast<std::ptrdiff_t>(random() % jobs.size());
      Message& message = messages.at(which->id);
      const auto result =
          random() % 2 == 0 ? Attempted::Result::delivered : Attempted::Result::deferred;
      const Attempted results[] = {{0, result, {}}};
      apply_attempt(message, results, RetrySchedule(), now, random());
      scheduler.finished(*which, message);
      jobs.erase(which);
    };
    for (int step = 0; step < 2'000 && !testing::Test::HasFatalFailure(); ++step) {
      switch (random() % 6) {
        case 0: add(); break;
        case 1: now += std::chrono::seconds(random() % 300); break;
        case 2: finish(); break;
        default: pick();
      }
      std::size_t inside = 0;
      for (const auto& [site, count] : gate.inside) inside += static_cast<std::size_t>(count);
      ASSERT_EQ(inside, jobs.size()) << "every place is given back";
    }
    moody = false;
    for (int round = 0; scheduler.counts().messages > 0; ++round) {
      ASSERT_LT(round, 100'000) << "something is never picked";
      const auto before = jobs.size();
      pick();
      finish();
      if (jobs.size() == before && scheduler.next_due()) now = std::max(now, *scheduler.next_due());
    }
    EXPECT_EQ(scheduler.counts().sites, 0U);
    EXPECT_EQ(scheduler.counts().destinations, 0U);
  }
}

}  // namespace
}  // namespace tapal::queue
