#include "sim/seeds.h"

#include <algorithm>
#include <cstdio>
#include <string>
#include <system_error>
#include <thread>
#include <type_traits>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

namespace tapal::sim {
namespace {

constexpr std::uint64_t broken_max = 5;  // seeds of one process, then it stops

using Clock = std::chrono::steady_clock;

void add(SeedsResult& sum, const SeedsResult& part) {
  sum.played += part.played;
  sum.repeated += part.repeated;
  sum.broken += part.broken;
  sum.steps += part.steps;
  sum.power_cuts += part.power_cuts;
  sum.stops += part.stops;
  sum.sums += part.sums;
}

void say(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

void count(SeedsResult& result, const Outcome& outcome) {
  ++result.played;
  result.steps += outcome.steps;
  result.power_cuts += outcome.power_cuts;
  result.stops += outcome.stops;
  result.sums += outcome.sums;
  if (outcome.broken) ++result.broken;
}

// The seeds `offset`, `offset` + `stride`, ... of all.
SeedsResult play_share(const SeedsOptions& options, std::uint64_t offset, std::uint64_t stride) {
  SeedsResult result;
  const auto end = Clock::now() + options.time_max;
  const bool timed = options.time_max.count() > 0;
  for (std::uint64_t i = offset; timed ? Clock::now() < end : i < options.count; i += stride) {
    const PlayOptions one{.seed = options.first + i, .fault = options.fault};
    Outcome outcome = play(one);
    if (!outcome.broken && options.repeat_one_in != 0 && i % options.repeat_one_in == 0) {
      ++result.repeated;
      if (play(one).hash != outcome.hash)
        outcome.broken = {"the same seed gives the same world", "the second time went otherwise"};
    }
    count(result, outcome);
    if (!outcome.broken) continue;
    say(report(outcome, options.fault));
    if (options.fault != Fault::none || result.broken == broken_max) break;
  }
  return result;
}

// The child says its result through a pipe, since it shares no memory with us.
struct Child {
  pid_t process = 0;
  int results = 0;
};

Child begin(const SeedsOptions& options, std::uint64_t offset, std::uint64_t stride) {
  int ends[2];
  if (::pipe(ends) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
  const pid_t process = ::fork();
  if (process < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (process > 0) {
    ::close(ends[1]);
    return {process, ends[0]};
  }
  const SeedsResult result = play_share(options, offset, stride);
  const bool told = ::write(ends[1], &result, sizeof result) == sizeof result;
  std::_Exit(told ? 0 : 1);
}

SeedsResult end(const Child& child) {
  static_assert(std::is_trivially_copyable_v<SeedsResult>);
  SeedsResult result;
  const bool told = ::read(child.results, &result, sizeof result) == sizeof result;
  ::close(child.results);
  int status = 0;
  ::waitpid(child.process, &status, 0);
  if (!told) {
    say("a process that played seeds has died; --processes 1 shows its last words\n");
    result = {};
    result.broken = 1;
  }
  return result;
}

}  // namespace

std::string report(const Outcome& outcome, Fault fault) {
  std::string text = fmt::format("\nseed {} breaks a law: {}: {}\nthe last events:\n",
                                 outcome.seed,
                                 outcome.broken->law,
                                 outcome.broken->what);
  for (const std::string& event : outcome.last_events) text += event + '\n';
  text += fmt::format("to see all of it: ./dev sim --seed {} --trace", outcome.seed);
  for (const auto& [name, known] : fault_names)
    if (known == fault) text += fmt::format(" --break {}", name);
  return text + '\n';
}

SeedsResult play_seeds(const SeedsOptions& options) {
  const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
  const unsigned processes = options.processes == 0 ? cores : options.processes;
  if (processes == 1) return play_share(options, 0, 1);
  std::vector<Child> children;
  children.reserve(processes);
  for (unsigned i = 0; i < processes; ++i) children.push_back(begin(options, i, processes));
  SeedsResult sum;
  for (const Child& child : children) add(sum, end(child));
  return sum;
}

}  // namespace tapal::sim
