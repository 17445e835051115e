// tapal_sim: plays made-up worlds around the product's own code. See sim/README.md.
#include <chrono>
#include <cstdio>
#include <fstream>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <sys/resource.h>

#include "sim/rocksdb_life.h"
#include "sim/scale.h"
#include "sim/seeds.h"
#include "sim/shaping_play.h"

namespace {

using namespace tapal::sim;

struct Arguments {
  SeedsOptions seeds;
  std::uint64_t seed = 0;  // 0: many
  double hours = 0;
  bool trace = false;
  std::string fault;
  std::uint64_t rocksdb_seeds = 0;
  bool scale = false;
  ScaleOptions scale_options;
  std::uint32_t arrive_minutes = 15;
  bool shaping = false;
  std::string svg;
};

int play_one(const Arguments& arguments) {
  const PlayOptions options{arguments.seed,
                            arguments.seeds.fault,
                            arguments.trace ? Trace::everything : Trace::last_events};
  const Outcome outcome = play(options);
  fmt::print("seed {}: {} events, {} steps, hash {:016x}\n",
             outcome.seed,
             outcome.events,
             outcome.steps,
             outcome.hash);
  if (!outcome.broken) return 0;
  fmt::print("{}", report(outcome, options.fault));
  return 1;
}

int play_many(const Arguments& arguments) {
  const auto began = std::chrono::steady_clock::now();
  const SeedsResult result = play_seeds(arguments.seeds);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  const auto& sums = result.sums;
  fmt::print(
      "{} seeds from {} in {:.1f} s ({:.1f}/s), {} of them twice: {} broke a law\n"
      "{} mails, {} acknowledged, {} dropped by hand; {} recipients, {} delivered, {} bounced, {} "
      "second copies\n"
      "{} power cuts, {} clean stops, {:.1f} million steps\n",
      result.played,
      arguments.seeds.first,
      took.count(),
      static_cast<double>(result.played + result.repeated) / took.count(),
      result.repeated,
      result.broken,
      sums.mails,
      sums.acknowledged,
      sums.dropped,
      sums.recipients,
      sums.delivered,
      sums.bounced,
      sums.duplicates,
      result.power_cuts,
      result.stops,
      static_cast<double>(result.steps) / 1e6);
  return result.broken == 0 ? 0 : 1;
}

int play_rocksdb_seeds(const Arguments& arguments) {
  const auto folder =
      std::filesystem::temp_directory_path() / fmt::format("tapal_sim.{}", ::getpid());
  std::uint64_t commits = 0, failed = 0, power_cuts = 0;
  const auto first = arguments.seed != 0 ? arguments.seed : arguments.seeds.first;
  for (std::uint64_t seed = first; seed < first + arguments.rocksdb_seeds; ++seed) {
    const RocksdbOutcome outcome = play_rocksdb({.seed = seed, .folder = folder});
    commits += outcome.commits;
    failed += outcome.failed;
    power_cuts += outcome.power_cuts;
    if (!outcome.broken) continue;
    fmt::print("seed {} breaks a law: {}: {}\nto play it again: ./dev sim --rocksdb 1 --seed {}\n",
               seed,
               outcome.broken->law,
               outcome.broken->what,
               seed);
    return 1;
  }
  fmt::print("{} seeds on RocksDB: {} commits, {} of them failed, {} power cuts: all laws held\n",
             arguments.rocksdb_seeds,
             commits,
             failed,
             power_cuts);
  return 0;
}

int play_at_scale(Arguments arguments) {
  ScaleOptions& options = arguments.scale_options;
  options.arrive_within = std::chrono::minutes(arguments.arrive_minutes);
  if (arguments.seed != 0) options.seed = arguments.seed;
  const auto began = std::chrono::steady_clock::now();
  const ScaleResult result = play_scale(options);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  fmt::print("{}played in {:.1f} s, {} MB at most\n",
             table_of(result, options),
             took.count(),
             used.ru_maxrss / 1024);
  if (!arguments.svg.empty()) std::ofstream(arguments.svg) << chart_of(result, options);
  return result.broken.empty() ? 0 : 1;
}

// Charts go to files beside `svg`, one for each scenario.
int play_with_and_without_shaping(const Arguments& arguments) {
  const std::uint64_t seed = arguments.seed != 0 ? arguments.seed : 1;
  for (const Scenario scenario : {Scenario::mixed, Scenario::outage, Scenario::warm_up}) {
    const std::array<ShapingResult, 2> results{play_shaping(scenario, Rules::without, seed),
                                               play_shaping(scenario, Rules::with, seed)};
    fmt::print("{}\n", table_of(scenario, results));
    if (arguments.svg.empty()) continue;
    const auto name = scenario_names[static_cast<std::size_t>(scenario)];
    std::ofstream(fmt::format("{}-{}.svg", arguments.svg, name)) << chart_of(scenario, results);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  CLI::App app("plays made-up worlds around the sending engine and checks its laws", "tapal_sim");
  app.add_option("--seeds", arguments.seeds.count, "how many seeds to play (1000)");
  app.add_option("--first", arguments.seeds.first, "the first seed (1)");
  app.add_option("--seed", arguments.seed, "play this one only");
  app.add_flag("--trace", arguments.trace, "with --seed: print every event");
  app.add_option("--hours", arguments.hours, "play new seeds until this time is over");
  app.add_option("--processes", arguments.seeds.processes, "how many at once (one for each core)");
  app.add_option("--break", arguments.fault, "plant this fault, which a law must catch");
  app.add_option(
      "--rocksdb", arguments.rocksdb_seeds, "play so many seeds of the real store instead");
  app.add_flag("--scale", arguments.scale, "play a million recipients at a provider mix instead");
  app.add_option("--recipients", arguments.scale_options.recipients, "with --scale (1000000)")
      ->check(CLI::Range(1U, 20'000'000U));
  app.add_option("--engines", arguments.scale_options.engines, "with --scale (10)")
      ->check(CLI::Range(1U, 1000U));
  app.add_option("--arrive-minutes", arguments.arrive_minutes, "with --scale: all arrive in (15)")
      ->check(CLI::Range(1U, 10'000U));
  app.add_flag("--shaping", arguments.shaping, "play receivers with limits and outages instead");
  app.add_option("--svg",
                 arguments.svg,
                 "with --scale: write charts to this file; with --shaping: to files that begin so");
  CLI11_PARSE(app, argc, argv);
  if (arguments.rocksdb_seeds != 0) return play_rocksdb_seeds(arguments);
  if (arguments.scale) return play_at_scale(arguments);
  if (arguments.shaping) return play_with_and_without_shaping(arguments);
  if (!arguments.fault.empty()) {
    const auto fault = fault_named(arguments.fault);
    if (!fault) {
      fmt::print(stderr, "no fault is called {}; there are:\n", arguments.fault);
      for (const auto& [name, known] : fault_names) fmt::print(stderr, "  {}\n", name);
      return 2;
    }
    arguments.seeds.fault = *fault;
  }
  arguments.seeds.time_max = std::chrono::seconds(static_cast<long>(arguments.hours * 3600));
  return arguments.seed != 0 ? play_one(arguments) : play_many(arguments);
}
