#include "sim/shaping_play.h"

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <queue>
#include <utility>

#include <fmt/format.h>

#include "rules/queue/message_life.h"
#include "rules/queue/scheduler.h"
#include "rules/shaping/shaper.h"
#include "sim/dice.h"

namespace tapal::sim {
namespace {

using queue::Attempted;
using std::chrono::milliseconds;
using namespace std::chrono_literals;

constexpr WallTime start{std::chrono::days(20'779)};
constexpr milliseconds refusal_time{200};
constexpr milliseconds connect_timeout{30'000};
constexpr std::uint32_t long_tail = 500;  // domains beside the large providers
constexpr std::string_view too_many = "421 4.7.0 Too many connections";
constexpr std::string_view distrust =
    "421 4.7.28 Our system has detected an unusual rate of unsolicited mail";
constexpr std::string_view too_fast = "450 4.2.1 Sending rate exceeded, try again later";

struct Receiver {
  std::string site;
  std::uint32_t connections_max = 10;
  std::uint32_t per_minute_max = 120;
  std::uint32_t answer_ms = 800;
  WallTime down_until{};
  double trust = 0;  // messages a day that it takes from us; 0: it does not ask who we are

  std::uint32_t connections = 0;
  std::deque<WallTime> taken;  // in the last minute
  std::size_t refused_in_row = 0;
  std::int64_t day = 0;
  std::uint32_t of_day = 0;
  std::uint32_t refused_of_day = 0;
};

// What is kept of a message while it waits.
struct Waiting {
  WallTime arrived{};
  std::uint32_t receiver = 0;
  std::uint8_t crowd = 0;
  std::uint8_t user = 0;
  std::uint8_t attempts = 0;
};

struct Ending {
  WallTime when{};
  std::uint64_t number = 0;  // equal times keep their order
  Attempted::Result result = Attempted::Result::delivered;
  std::string_view said;  // empty: nobody answered
  queue::Job job;
  bool operator>(const Ending& other) const {
    return std::pair(when, number) > std::pair(other.when, other.number);
  }
};

class Play {
 public:
  Play(Scenario scenario, Rules rules, std::uint64_t seed)
      : scenario_(scenario),
        dice_(seed),
        providers_(shaping::read_providers({}, {}).value()),
        sources_(sources_of(scenario)),
        shaper_({}, providers_, scenario == Scenario::warm_up ? &sources_ : nullptr),
        scheduler_({}, rules == Rules::with ? &shaper_ : nullptr) {
    result_.rules = rules;
    sources_.warm_up().see("new", "192.0.2.1", start, start);
    make_receivers();
  }

  ShapingResult run() {
    const WallTime end = start + (scenario_ == Scenario::warm_up ? 36 * 24h : 48h);
    for (now_ = start; now_ < end; now_ += 1s) {
      switch (scenario_) {
        case Scenario::mixed: arrive_mixed(); break;
        case Scenario::outage: arrive_outage(); break;
        case Scenario::warm_up: arrive_warm_up(); break;
      }
      pump();
      finish_until(now_ + 1s);
      const bool may_end = scenario_ != Scenario::warm_up || now_ > start + 30 * 24h;
      if (may_end && now_ > start + 1h && scheduler_.counts().messages == 0) break;
    }
    result_.ended = std::chrono::duration_cast<std::chrono::minutes>(now_ - start);
    return std::move(result_);
  }

 private:
  static shaping::SourceOptions sources_of(Scenario scenario) {
    if (scenario != Scenario::warm_up) return {};
    shaping::SourceOptions options;
    options.sources = {
        {.name = "new", .ipv4 = IpAddress::from_text("192.0.2.1"), .new_since = start}};
    return options;
  }

  void make_receivers() {
    if (scenario_ == Scenario::warm_up) {
      receivers_.push_back(
          {.site = "gmail", .connections_max = 50, .per_minute_max = 3'000, .trust = 100});
      receivers_.push_back({.site = "mx.host.example", .per_minute_max = 600, .trust = 400});
      result_.crowds[0].name = "to gmail";
      result_.crowds[1].name = "to another host";
      return;
    }
    for (const Provider& provider : provider_mix) {
      const bool is_long_tail = provider.domains > 1'000;
      for (std::uint32_t i = 0; i < (is_long_tail ? long_tail : 1); ++i)
        receivers_.push_back({.site = is_long_tail ? fmt::format("mx.tail{}.example", i)
                                                   : std::string(provider.name),
                              .connections_max = provider.connections_max,
                              .per_minute_max = provider.per_minute_max,
                              .answer_ms = provider.answer_ms});
    }
    if (scenario_ == Scenario::outage) receivers_[dead].down_until = start + 12h;
    result_.crowds[0].name = scenario_ == Scenario::mixed ? "people" : "everybody else";
    result_.crowds[1].name = scenario_ == Scenario::mixed ? "the bulk sender" : "the dead provider";
  }

  // One large sender at the beginning, and ten people all the time.
  void arrive_mixed() {
    constexpr std::uint32_t people = 10;
    if (now_ == start)
      for (int i = 0; i < 100'000; ++i) arrive(1, people, some_receiver());
    if (now_ >= start + 2h) return;
    for (std::uint8_t person = 0; person < people; ++person)
      if (dice_.one_in(20)) arrive(0, person, some_receiver());
  }

  // All of a provider's mail within an hour, and everybody else's all the time.
  void arrive_outage() {
    const auto passed = std::chrono::duration_cast<std::chrono::seconds>(now_ - start).count();
    if (passed < 3600)
      for (int i = 0; i < 200'000 / 3600 + (passed % 9 < 5); ++i)
        arrive(1, static_cast<std::uint32_t>(dice_.below(10)), dead);
    if (passed >= 13L * 3600) return;
    for (int i = 0; i < 5; ++i) {
      const auto receiver = some_receiver();
      if (receiver != dead) arrive(0, static_cast<std::uint32_t>(dice_.below(10)), receiver);
    }
  }

  // From 8 to 20 o'clock, for 30 days.
  void arrive_warm_up() {
    const auto passed = now_ - start;
    const auto hour = passed % 24h / 1h;
    if (passed >= 30 * 24h || hour < 8 || hour >= 20) return;
    for (std::uint32_t receiver = 0; receiver < 2; ++receiver)
      if (dice_.below(12 * 3600) < 1'500) arrive(static_cast<std::uint8_t>(receiver), 0, receiver);
  }

  std::uint32_t some_receiver() {
    auto lot = dice_.below(1000);
    std::uint32_t provider = 0;
    while (lot >= provider_mix[provider].share) lot -= provider_mix[provider++].share;
    const bool is_long_tail = provider_mix[provider].domains > 1'000;
    return provider + (is_long_tail ? static_cast<std::uint32_t>(dice_.below(long_tail)) : 0);
  }

  void arrive(std::uint8_t crowd, std::uint32_t user, std::uint32_t receiver) {
    mail_.push_back({now_, receiver, crowd, static_cast<std::uint8_t>(user), 0});
    ++result_.crowds[crowd].messages;
    const std::string& site = receivers_[receiver].site;
    const queue::Place place[] = {{site, site}};
    scheduler_.add(message(static_cast<std::uint32_t>(mail_.size() - 1)), place);
  }

  // The scheduler's view of a message. Without the rules nobody is told apart.
  queue::Message message(std::uint32_t number) const {
    const Waiting& one = mail_[number];
    queue::Message message;
    message.id = QueueId::make(one.arrived, number);
    message.arrived = one.arrived;
    if (result_.rules == Rules::with) {
      message.origin.user = fmt::format("user{}", one.user);
      if (scenario_ == Scenario::mixed && one.crowd == 1) message.priority = queue::Priority::bulk;
    }
    queue::RecipientState& state = message.recipients.emplace_back();
    state.attempts = one.attempts;
    state.next_attempt = one.arrived;
    return message;
  }
  static std::uint32_t number_of(QueueId id) {
    return static_cast<std::uint32_t>(id.value & 0x3fffffU);
  }

  void pump() {
    while (auto job = scheduler_.next(now_)) begin(*std::move(job));
  }

  void begin(queue::Job job) {
    Receiver& receiver = receivers_[mail_[number_of(job.id)].receiver];
    ++receiver.connections;
    ++result_.attempts;
    Ending ending = answer(receiver);
    ending.number = ++endings_made_;
    ending.job = std::move(job);
    endings_.push(std::move(ending));
  }

  Ending answer(Receiver& receiver) {
    using Result = Attempted::Result;
    if (now_ < receiver.down_until) {
      ++result_.unreached;
      return {.when = now_ + connect_timeout, .result = Result::deferred};
    }
    while (!receiver.taken.empty() && receiver.taken.front() <= now_ - 60s)
      receiver.taken.pop_front();
    const bool crowded = receiver.connections > receiver.connections_max;
    if (crowded || receiver.taken.size() >= receiver.per_minute_max) {
      ++result_.refused;
      result_.refused_in_row_max = std::max(result_.refused_in_row_max, ++receiver.refused_in_row);
      return {.when = now_ + refusal_time,
              .result = Result::deferred,
              .said = crowded ? too_many : too_fast};
    }
    if (receiver.trust > 0 && !trusts(receiver)) {
      ++result_.refused;
      ++receiver.refused_of_day;
      result_.refused_in_row_max = std::max(result_.refused_in_row_max, ++receiver.refused_in_row);
      return {.when = now_ + refusal_time, .result = Result::deferred, .said = distrust};
    }
    receiver.refused_in_row = 0;
    receiver.taken.push_back(now_);
    const auto time = receiver.answer_ms / 2 + dice_.below(receiver.answer_ms);
    return {.when = now_ + milliseconds(time), .said = "250 2.0.0 ok"};
  }

  // A day that used the trust and did not strain it makes more; one that strained it much, less.
  bool trusts(Receiver& receiver) const {
    const auto day = (now_ - start) / 24h;
    if (receiver.day != day) {
      if (receiver.refused_of_day > receiver.trust / 2)
        receiver.trust = std::max(20.0, receiver.trust * 0.7);
      else if (receiver.of_day > receiver.trust / 3)
        receiver.trust *= 1.6;
      receiver.day = day;
      receiver.of_day = receiver.refused_of_day = 0;
    }
    if (receiver.of_day >= receiver.trust) return false;
    ++receiver.of_day;
    return true;
  }

  void finish_until(WallTime until) {
    while (!endings_.empty() && endings_.top().when <= until) {
      Ending ending = endings_.top();
      endings_.pop();
      const WallTime resume = std::exchange(now_, ending.when);
      finish(ending);
      pump();
      now_ = resume;
    }
  }

  void finish(Ending& ending) {
    const std::uint32_t number = number_of(ending.job.id);
    Waiting& one = mail_[number];
    --receivers_[one.receiver].connections;
    queue::Message after = message(number);
    Attempted attempted{0, ending.result, {}};
    if (result_.rules == Rules::with) attempted.retry_in = learn(ending, after);
    const std::array<Attempted, 1> results{attempted};
    queue::apply_attempt(after, results, schedule_, now_, dice_.number());
    one.attempts = static_cast<std::uint8_t>(std::min(after.recipients[0].attempts, 255U));
    scheduler_.finished(ending.job, after);
    Crowd& crowd = result_.crowds[one.crowd];
    if (after.recipients[0].state == queue::State::failed) ++crowd.bounced;
    if (after.recipients[0].state != queue::State::delivered) return;
    ++crowd.delivered;
    crowd.waits.add(now_ - one.arrived);
    const auto step = static_cast<std::size_t>((now_ - start) / step_of(scenario_));
    if (crowd.steps.size() <= step) crowd.steps.resize(step + 1);
    crowd.steps[step].add(now_ - one.arrived);
  }

  std::optional<std::chrono::seconds> learn(Ending& ending, const queue::Message& message) {
    shaping::Lesson lesson{.said = std::string(ending.said)};
    using Kind = shaping::Lesson::Kind;
    lesson.kind = ending.said.starts_with('2') ? Kind::went_well
                  : ending.said.empty()        ? Kind::no_answer
                                               : Kind::put_off;
    if (lesson.kind == Kind::put_off)
      lesson.rule = providers_.rule_for(providers_.find(ending.job.site), ending.said);
    lesson.accepted = lesson.kind == Kind::went_well;
    shaper_.learn(ending.job.site, queue::sender_of(message), ending.job.permit, lesson, now_);
    if (lesson.rule == nullptr || lesson.rule->reaction != shaping::Reaction::retry_in) return {};
    return lesson.rule->time;
  }

  static constexpr std::uint32_t dead = 1;  // of provider_mix

  Scenario scenario_;
  Dice dice_;
  shaping::ProviderTable providers_;
  shaping::Sources sources_;
  shaping::Shaper shaper_;
  queue::Scheduler scheduler_;
  queue::RetrySchedule schedule_;
  WallTime now_ = start;
  std::vector<Receiver> receivers_;
  std::vector<Waiting> mail_;
  std::priority_queue<Ending, std::vector<Ending>, std::greater<>> endings_;
  std::uint64_t endings_made_ = 0;
  ShapingResult result_;
};

}  // namespace

std::chrono::minutes step_of(Scenario scenario) {
  return scenario == Scenario::warm_up ? std::chrono::hours(24) : std::chrono::minutes(10);
}

ShapingResult play_shaping(Scenario scenario, Rules rules, std::uint64_t seed) {
  return Play(scenario, rules, seed).run();
}

}  // namespace tapal::sim
