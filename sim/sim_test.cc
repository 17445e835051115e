// The simulator is itself tested: it keeps quiet about a sound world, and its laws catch what they
// are made for.
#include <array>
#include <filesystem>

#include <gtest/gtest.h>
#include <unistd.h>

#include "ports/memory_store.h"
#include "ports/store_contract.h"
#include "sim/log_store.h"
#include "sim/rocksdb_life.h"
#include "sim/witness.h"
#include "sim/world.h"

namespace tapal::sim {
namespace {

TEST(Sim, finds_nothing_wrong_with_the_product) {
  Ledger::Sums sums;
  for (std::uint64_t seed = 1; seed <= 15; ++seed) {
    const Outcome outcome = play({.seed = seed});
    EXPECT_FALSE(outcome.broken) << "seed " << seed << ": " << outcome.broken->law << ": "
                                 << outcome.broken->what;
    sums += outcome.sums;
  }
  EXPECT_GT(sums.delivered, 100U);
  EXPECT_GT(sums.bounced, 5U);
}

TEST(Sim, plays_the_same_seed_the_same_way) {
  for (std::uint64_t seed = 50; seed < 54; ++seed)
    EXPECT_EQ(play({.seed = seed}).hash, play({.seed = seed}).hash) << seed;
  EXPECT_NE(play({.seed = 50}).hash, play({.seed = 51}).hash);
}

// The law that catches it first, and within how many seeds.
struct Planted {
  std::string_view fault;
  std::string_view law;
};
constexpr std::uint64_t seeds_to_catch = 100;

class PlantedFault : public testing::TestWithParam<Planted> {};

TEST_P(PlantedFault, is_caught) {
  const Fault fault = fault_named(GetParam().fault).value();
  for (std::uint64_t seed = 1; seed <= seeds_to_catch; ++seed) {
    const Outcome outcome = play({.seed = seed, .fault = fault});
    if (!outcome.broken) continue;
    EXPECT_EQ(outcome.broken->law, GetParam().law) << outcome.broken->what;
    EXPECT_FALSE(outcome.last_events.empty());
    return;
  }
  FAIL() << "not caught within " << seeds_to_catch << " seeds";
}

INSTANTIATE_TEST_SUITE_P(
    Sim,
    PlantedFault,
    testing::Values(Planted{"ack-before-sync", "what was synced is found"},
                    Planted{"forgetful-recovery", "what was synced is found"},
                    Planted{"lost-delivery", "nothing acknowledged is lost"},
                    Planted{"doubled-delivery", "every recipient ends once"},
                    Planted{"lost-notice", "every recipient ends delivered, bounced or queued"},
                    Planted{"lost-refusal", "every recipient ends delivered, bounced or queued"},
                    Planted{"garbled-body", "nothing half is delivered"},
                    Planted{"body-leak", "an empty queue holds nothing"},
                    Planted{"stopped-clock", "no destination starves"},
                    Planted{"removal-forgotten",
                            "every recipient ends delivered, bounced or queued"},
                    Planted{"repeated-name", "no two messages share a name"}),
    [](const auto& info) {
      std::string name(info.param.fault);
      std::ranges::replace(name, '-', '_');
      return name;
    });

TEST(Sim, catches_raised_limits_by_what_receivers_see) {
  std::set<std::string> laws;
  for (std::uint64_t seed = 1; seed <= 150; ++seed)
    if (const auto outcome = play({.seed = seed, .fault = Fault::raised_limits}); outcome.broken)
      laws.insert(outcome.broken->law);
  for (const auto* law :
       {"attempts at once", "recipients per transaction", "messages per connection"})
    EXPECT_TRUE(laws.contains(law)) << law;
}

TEST(Sim, catches_a_store_that_takes_torn_records_for_whole_ones) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed)
    if (play({.seed = seed, .fault = Fault::half_recovery}).broken) return;
  FAIL() << "not caught within 100 seeds";
}

TEST(Sim, finds_nothing_wrong_with_the_real_store) {
  const auto folder =
      std::filesystem::temp_directory_path() / fmt::format("sim_test.{}", ::getpid());
  std::uint64_t failed = 0;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const RocksdbOutcome outcome = play_rocksdb({.seed = seed, .folder = folder});
    EXPECT_FALSE(outcome.broken) << "seed " << seed << ": " << outcome.broken->law << ": "
                                 << outcome.broken->what;
    failed += outcome.failed;
  }
  EXPECT_GT(failed, 0U);
}

// A message whose replacement by a notice was refused: after a power cut one of the two is there.
std::optional<Chronicle::Broken> judge_refused_replacement(std::vector<std::uint64_t> found) {
  using namespace store_contract;
  TestLoop loop;
  MemoryStore before, after;
  Chronicle chronicle(Trace::last_events);
  Witness witness(chronicle);
  const auto first = adding(before, 1, "message");
  witness.answered(witness.asked(first), true, Durability::synced);
  auto replacing = adding(before, 2, "notice");
  replacing.removed.push_back(QueueId{1});
  witness.answered(witness.asked(replacing), false, Durability::synced);
  for (const auto id : found) EXPECT_TRUE(commit(loop, after, adding(after, id, "text")));
  witness.reopened(after, Witness::Since::power_cut);
  return chronicle.broken();
}

TEST(Sim, catches_half_of_a_change) {
  EXPECT_FALSE(judge_refused_replacement({1}));
  EXPECT_FALSE(judge_refused_replacement({2}));
  const auto gone_alone = judge_refused_replacement({});
  ASSERT_TRUE(gone_alone);
  EXPECT_EQ(gone_alone->law, "a change is kept whole or not at all");
}

struct LogStoreFixture {
  static constexpr bool remembers = true;
  Disk disk{Dice(1)};
  std::unique_ptr<LogStore> kept = LogStore::open(Mount(disk), {}).value();
  Store& store() { return *kept; }
  void reopen() { kept = LogStore::open(Mount(disk), {}).value(); }
};

}  // namespace
}  // namespace tapal::sim

namespace tapal {
INSTANTIATE_TYPED_TEST_SUITE_P(LogStore, StoreContract, sim::LogStoreFixture);
}  // namespace tapal
