#include "services/delivery/warm_up_keeper.h"

#include <gtest/gtest.h>

#include "ports/test_fakes.h"
#include "ports/test_loop.h"

namespace tapal::delivery {
namespace {

constexpr shaping::Relation gmail{"main", "gmail"};

struct World {
  VirtualLoop loop;
  RecordingLog log;
  MemoryRecords records;
  shaping::WarmUp warm_up{{.starts = {{"gmail", 2}}}};
  WarmUpKeeper keeper{{loop, log, records, warm_up}};
  TaskGroup tasks;

  WallTime now() const { return loop.wall_now(); }
  void send() {
    warm_up.on_start(gmail, now());
    warm_up.on_accepted(gmail, now());
  }
  void stop() {
    keeper.stop();
    loop.run_until([this] { return tasks.running() == 0; }, std::chrono::hours(1));
  }
};

TEST(WarmUpKeeper, keeps_what_was_sent_over_a_restart) {
  World w;
  w.warm_up.see("main", "9.9.9.9", {}, w.now());
  w.tasks.spawn(w.keeper.run());
  w.send();
  w.loop.run_for(WarmUpKeeper::write_every);
  w.send();
  w.stop();

  World next;
  next.records.records = w.records.records;
  ASSERT_TRUE(next.keeper.load());
  next.warm_up.see("main", "9.9.9.9", {}, w.now());
  EXPECT_EQ(next.warm_up.today(gmail, w.now()), (shaping::DayOfWarmUp{2, 2, 0}));
}

TEST(WarmUpKeeper, writes_in_its_time_and_only_what_has_changed) {
  World w;
  w.warm_up.see("main", "9.9.9.9", {}, w.now());
  w.tasks.spawn(w.keeper.run());
  w.loop.run_for(WarmUpKeeper::write_every - std::chrono::seconds(1));
  EXPECT_TRUE(w.records.records.empty());
  w.loop.run_for(std::chrono::seconds(1));
  EXPECT_EQ(w.records.records.size(), 1U);
  w.records.records.clear();
  w.loop.run_for(3 * WarmUpKeeper::write_every);
  EXPECT_TRUE(w.records.records.empty());
  w.stop();
}

TEST(WarmUpKeeper, tells_once_that_nothing_is_kept_and_goes_on) {
  World w;
  w.warm_up.see("main", "9.9.9.9", {}, w.now());
  w.records.error = Error{Code::full, "no room"};
  w.tasks.spawn(w.keeper.run());
  for (int i = 0; i < 3; ++i) {
    w.send();
    w.loop.run_for(WarmUpKeeper::write_every);
  }
  EXPECT_EQ(w.log.count("what warm-up has reached is not kept"), 1U);
  w.records.error.reset();
  w.send();
  w.stop();
  EXPECT_EQ(w.records.records.size(), 1U);
}

}  // namespace
}  // namespace tapal::delivery
