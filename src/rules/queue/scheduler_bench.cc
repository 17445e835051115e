// The cost of one pick (next, and the failed attempt filed again) must not grow with the queue.
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <malloc.h>

#include "rules/queue/scheduler.h"

namespace {

using namespace tapal;
using namespace tapal::queue;

constexpr std::size_t destinations = 10'000;

Message message_for(std::uint64_t number) {
  Message message;
  message.id = QueueId{number};
  RecipientState& recipient = message.recipients.emplace_back();
  recipient.recipient.address = {"user", fmt::format("site{}.example", number % destinations)};
  return message;
}

void pick(benchmark::State& state) {
  const auto messages = static_cast<std::uint64_t>(state.range(0));
  const std::size_t before = mallinfo2().uordblks;
  Scheduler scheduler;
  for (std::uint64_t i = 0; i < messages; ++i) scheduler.add(message_for(i));
  const std::size_t after = mallinfo2().uordblks;
  WallTime now{};
  for (auto _ : state) {
    std::optional<Job> job = scheduler.next(now);
    if (!job) {
      now += std::chrono::seconds(60);
      continue;
    }
    Message message;  // tried in vain: due in an hour
    message.id = job->id;
    message.recipients.resize(1);
    message.recipients[0].attempts = 1;
    message.recipients[0].next_attempt = now + std::chrono::hours(1);
    scheduler.finished(*job, message);
  }
  state.counters["bytes/message"] =
      static_cast<double>(after - before) / static_cast<double>(messages);
}
BENCHMARK(pick)->Arg(1'000)->Arg(10'000)->Arg(100'000)->Arg(1'000'000);

void add(benchmark::State& state) {
  Scheduler scheduler;
  std::uint64_t number = 0;
  for (auto _ : state) scheduler.add(message_for(number++));
}
BENCHMARK(add)->Iterations(500'000);

}  // namespace
