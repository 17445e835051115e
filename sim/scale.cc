#include "sim/scale.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <queue>
#include <utility>

#include <fmt/format.h>

#include "rules/queue/message_life.h"
#include "sim/dice.h"

namespace tapal::sim {
namespace {

using queue::Attempted;
using std::chrono::milliseconds;

constexpr WallTime start{std::chrono::days(20'779)};
constexpr milliseconds refusal_time{200};
constexpr milliseconds connect_timeout{30'000};
constexpr double buckets_to_the_octave = 4;
constexpr double least_wait_seconds = 0.05;

// What is kept of a message while it waits.
struct Waiting {
  WallTime arrived{};
  std::uint32_t domain = 0;  // of its provider
  std::uint8_t provider = 0;
  std::uint8_t attempts = 0;
};

// How one domain of a provider sees one engine.
struct Relation {
  std::uint32_t connections = 0;
  std::uint32_t this_minute = 0;
  std::int64_t minute = 0;
};

struct Ending {
  WallTime when{};
  std::uint64_t number = 0;  // equal times keep their order
  std::uint32_t engine = 0;
  Attempted::Result result = Attempted::Result::delivered;
  queue::Job job;
  bool operator>(const Ending& other) const {
    return std::pair(when, number) > std::pair(other.when, other.number);
  }
};

class Scale {
 public:
  explicit Scale(const ScaleOptions& options)
      : options_(options), dice_(options.seed), mail_(options.recipients) {
    for (std::uint32_t i = 0; i < options.engines; ++i)
      engines_.push_back(std::make_unique<queue::Scheduler>(options.limits));
    relations_.resize(options.engines);
    for (auto& of_engine : relations_)
      for (std::size_t p = 0; p < provider_mix.size(); ++p)
        of_engine[p].resize(provider_mix[p].domains);
  }

  ScaleResult run() {
    const WallTime end = start + options_.horizon;
    for (now_ = start; now_ < end && (arrived_ < options_.recipients || waits() > 0);) {
      arrive();
      for (std::uint32_t i = 0; i < options_.engines; ++i) pump(i);
      now_ += std::chrono::seconds(1);
      finish_until(now_);
      step().waiting = waits();
    }
    result_.waiting_at_end = waits();
    return std::move(result_);
  }

 private:
  ScaleStep& step() {
    const auto index = static_cast<std::size_t>((now_ - start) / options_.step);
    if (result_.steps.size() <= index) result_.steps.resize(index + 1);
    return result_.steps[index];
  }
  std::uint64_t waits() const {
    std::uint64_t all = 0;
    for (const auto& engine : engines_) all += engine->counts().messages;
    return all;
  }

  // The scheduler's view of a message: rebuilt when needed, since a million would not fit.
  queue::Message message(std::uint32_t number) const {
    const Waiting& one = mail_[number];
    queue::Message message;
    message.id = QueueId{number + 1};
    message.arrived = one.arrived;
    queue::RecipientState& state = message.recipients.emplace_back();
    state.attempts = one.attempts;
    state.next_attempt = one.arrived;
    return message;
  }
  static std::string domain_name(const Waiting& one) {
    return fmt::format("{}.{}", provider_mix[one.provider].name, one.domain);
  }

  void arrive() {
    const auto within = std::chrono::duration_cast<std::chrono::seconds>(options_.arrive_within);
    const auto passed = std::chrono::duration_cast<std::chrono::seconds>(now_ - start).count() + 1;
    const auto due =
        std::min<std::uint64_t>(options_.recipients,
                                static_cast<std::uint64_t>(passed) * options_.recipients /
                                    static_cast<std::uint64_t>(within.count()));
    for (; arrived_ < due; ++arrived_) {
      const std::uint32_t number = arrived_;
      Waiting& one = mail_[number];
      one.arrived = now_;
      one.provider = some_provider();
      one.domain = some_domain(provider_mix[one.provider]);
      ++result_.providers[one.provider].recipients;
      ++step().arrived;
      const std::array<queue::Place, 1> place{{{domain_name(one), domain_name(one)}}};
      engines_[number % options_.engines]->add(message(number), place);
    }
  }
  std::uint8_t some_provider() {
    auto lot = dice_.below(1000);
    std::uint8_t provider = 0;
    while (lot >= provider_mix[provider].share) lot -= provider_mix[provider++].share;
    return provider;
  }
  // Domains are not alike: the first ones get most of the mail.
  std::uint32_t some_domain(const Provider& provider) {
    const double lot = static_cast<double>(dice_.below(1'000'000)) / 1'000'000;
    return static_cast<std::uint32_t>(lot * lot * provider.domains);
  }

  void pump(std::uint32_t engine) {
    queue::Scheduler& scheduler = *engines_[engine];
    while (auto job = scheduler.next(now_)) begin(engine, *std::move(job));
    if (scheduler.counts().attempts > options_.limits.attempts_at_once_max)
      result_.broken = "attempts at once";
  }

  void begin(std::uint32_t engine, queue::Job job) {
    Waiting& one = mail_[job.id.value - 1];
    Relation& relation = relations_[engine][one.provider][one.domain];
    if (++relation.connections > options_.limits.attempts_per_site_max)
      result_.broken = "attempts per destination";
    ++step().attempts;
    ++result_.providers[one.provider].attempts;
    const auto [result, time] = attempt(one, relation);
    endings_.push({now_ + time, ++endings_made_, engine, result, std::move(job)});
  }

  std::pair<Attempted::Result, milliseconds> attempt(const Waiting& one, Relation& relation) {
    using Result = Attempted::Result;
    const Provider& provider = provider_mix[one.provider];
    // The same domains are down or greylist in every attempt.
    const auto trait = Dice(options_.seed ^ (one.domain * 31ULL + one.provider)).below(1000);
    if (trait < provider.down) return {Result::deferred, connect_timeout};
    const auto minute = (now_ - start) / std::chrono::minutes(1);
    if (std::exchange(relation.minute, minute) != minute) relation.this_minute = 0;
    if (relation.connections > provider.connections_max ||
        ++relation.this_minute > provider.per_minute_max) {
      ++result_.providers[one.provider].throttled;
      return {Result::deferred, refusal_time};
    }
    if (one.attempts == 0 && trait >= 1000 - provider.greylisting)
      return {Result::deferred, milliseconds(provider.answer_ms)};
    if (dice_.below(1000) < provider.bounces)
      return {Result::failed, milliseconds(provider.answer_ms)};
    // Half of all answers within the median, few of them eight times later.
    const double lot = static_cast<double>(dice_.below(1000)) / 1000;
    const double slow = std::pow(10, std::pow(lot, 4) - 0.0625);
    return {Result::delivered, milliseconds(static_cast<long>(provider.answer_ms * slow))};
  }

  void finish_until(WallTime until) {
    while (!endings_.empty() && endings_.top().when <= until) {
      Ending ending = endings_.top();
      endings_.pop();
      const WallTime resume = std::exchange(now_, ending.when);
      finish(ending);
      pump(ending.engine);
      now_ = resume;
    }
  }

  void finish(const Ending& ending) {
    const auto number = static_cast<std::uint32_t>(ending.job.id.value - 1);
    Waiting& one = mail_[number];
    --relations_[ending.engine][one.provider][one.domain].connections;
    queue::Message after = message(number);
    const std::array<Attempted, 1> results{Attempted{0, ending.result, {}}};
    queue::apply_attempt(after, results, schedule_, now_, dice_.number());
    one.attempts = static_cast<std::uint8_t>(std::min(after.recipients[0].attempts, 255U));
    engines_[ending.engine]->finished(ending.job, after);
    auto& provider = result_.providers[one.provider];
    if (after.recipients[0].state == queue::State::failed) ++provider.bounced;
    if (after.recipients[0].state != queue::State::delivered) return;
    ++provider.delivered;
    provider.waits.add(now_ - one.arrived);
    step().delivered[one.provider].add(now_ - one.arrived);
  }

  using Relations = std::array<std::vector<Relation>, provider_mix.size()>;

  const ScaleOptions& options_;
  Dice dice_;
  queue::RetrySchedule schedule_;
  WallTime now_ = start;
  std::vector<Waiting> mail_;
  std::uint32_t arrived_ = 0;
  std::vector<std::unique_ptr<queue::Scheduler>> engines_;
  std::vector<Relations> relations_;  // by engine
  std::priority_queue<Ending, std::vector<Ending>, std::greater<>> endings_;
  std::uint64_t endings_made_ = 0;
  ScaleResult result_;
};

}  // namespace

void Waits::add(milliseconds waited) {
  const double seconds = std::chrono::duration<double>(waited).count();
  const double octaves = std::log2(std::max(seconds / least_wait_seconds, 1.0));
  const auto bucket = static_cast<std::size_t>(octaves * buckets_to_the_octave);
  ++buckets_[std::min(bucket, buckets_.size() - 1)];
  ++count_;
}

void Waits::add(const Waits& more) {
  for (std::size_t i = 0; i < buckets_.size(); ++i) buckets_[i] += more.buckets_[i];
  count_ += more.count_;
}

double Waits::seconds_at(double fraction) const {
  const auto wanted = static_cast<std::uint64_t>(fraction * static_cast<double>(count_));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    seen += buckets_[i];
    const double upper = static_cast<double>(i + 1) / buckets_to_the_octave;
    if (seen > wanted) return least_wait_seconds * std::exp2(upper);
  }
  return 0;
}

ScaleResult play_scale(const ScaleOptions& options) { return Scale(options).run(); }

}  // namespace tapal::sim
