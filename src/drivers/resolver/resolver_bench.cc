// Answers a second that one loop gets from the cache, and from libunbound's own behind it.
#include <benchmark/benchmark.h>

#include "drivers/resolver/test_loop.h"
#include "drivers/resolver/unbound_resolver.h"
#include "ports/loop.h"

namespace {

using namespace tapal;

// localhost is answered by libunbound itself, so this needs no network.
std::unique_ptr<UnboundResolver> open_resolver(std::size_t names_max) {
  ResolverOptions options;
  options.mode = ResolverOptions::Mode::recursion;
  options.trust_anchor_file = "";
  options.names_max = names_max;
  return UnboundResolver::open(options).value();
}

Task<void> ask_many(Resolver& resolver, Loop& loop, std::size_t times, std::size_t& found) {
  for (std::size_t i = 0; i < times; ++i) {
    const auto answer = co_await resolver.resolve(loop, "localhost", dns::Type::a);
    if (answer && !answer->records.empty()) ++found;
  }
}

void ask_one_name(benchmark::State& state, std::size_t names_max) {
  constexpr std::size_t batch = 1000;
  const auto resolver = open_resolver(names_max);
  TestLoop loop;
  TaskGroup tasks;
  std::size_t found = 0;
  for (auto _ : state) {
    tasks.spawn(ask_many(*resolver, loop, batch, found));
    loop.run_until([&tasks] { return tasks.running() == 0; });
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(found));
}

void answers_from_the_cache(benchmark::State& state) { ask_one_name(state, 100'000); }
void answers_through_the_thread(benchmark::State& state) { ask_one_name(state, 0); }
BENCHMARK(answers_from_the_cache);
BENCHMARK(answers_through_the_thread)->UseRealTime();

}  // namespace
