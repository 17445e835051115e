// What one attempt costs in the queue, with and without the shaper: picked, learned from, and filed
// again. A message is delivered, so that nobody is held up, and another to the same site comes.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "rules/queue/scheduler.h"
#include "rules/shaping/shaper.h"

namespace {

using namespace tapal;
using namespace tapal::queue;

constexpr std::size_t destinations = 10'000;
const Sender sender{"ann@own.example", "own.example", false};

Message message_for(std::uint64_t number) {
  Message message;
  message.id = QueueId{number};
  message.origin.user = sender.user;
  message.envelope.return_path = mail::Address{"ann", sender.domain};
  RecipientState& recipient = message.recipients.emplace_back();
  recipient.recipient.address = {"user", fmt::format("site{}.example", number % destinations)};
  return message;
}

void attempt(benchmark::State& state, bool is_shaped) {
  const auto messages = static_cast<std::uint64_t>(state.range(0));
  const auto providers = shaping::read_providers({}, "providers.toml").value();
  shaping::Shaper shaper({}, providers);
  Scheduler scheduler({}, is_shaped ? &shaper : nullptr);
  for (std::uint64_t i = 0; i < messages; ++i) scheduler.add(message_for(i));
  std::uint64_t newest = messages;
  WallTime now{};
  for (auto _ : state) {
    now += std::chrono::milliseconds(1);
    std::optional<Job> job = scheduler.next(now);
    if (!job) continue;
    if (is_shaped)
      shaper.learn(job->site,
                   sender,
                   job->permit,
                   {.kind = shaping::Lesson::Kind::went_well, .accepted = true},
                   now);
    Message after = message_for(job->id.value);
    after.recipients[0].state = State::delivered;
    scheduler.finished(*job, after);
    Message next = message_for(job->id.value % destinations + destinations * ++newest);
    scheduler.add(next);
  }
}
BENCHMARK_CAPTURE(attempt, without, false)->Arg(1'000)->Arg(100'000)->Arg(1'000'000);
BENCHMARK_CAPTURE(attempt, with_shaper, true)->Arg(1'000)->Arg(100'000)->Arg(1'000'000);

}  // namespace
