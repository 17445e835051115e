#include "services/delivery/shaping_memory.h"

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
  shaping::ProviderTable providers;
  shaping::Shaper shaper{{}, providers};
  ShapingMemory memory{{loop, loop, log, records, warm_up, shaper}};
  TaskGroup tasks;

  WallTime now() const { return loop.wall_now(); }
  void send() {
    warm_up.on_start(gmail, now());
    warm_up.on_accepted(gmail, now());
  }
  void stop() {
    memory.stop();
    loop.run_until([this] { return tasks.running() == 0; }, std::chrono::hours(1));
  }
};

TEST(ShapingMemory, keeps_what_was_sent_over_a_restart) {
  World w;
  w.warm_up.see("main", "9.9.9.9", {}, w.now());
  w.tasks.spawn(w.memory.run());
  w.send();
  w.loop.run_for(ShapingMemory::write_every);
  w.send();
  w.stop();

  World next;
  next.records.records = w.records.records;
  ASSERT_TRUE(next.memory.load());
  next.warm_up.see("main", "9.9.9.9", {}, w.now());
  EXPECT_EQ(next.warm_up.today(gmail, w.now()), (shaping::DayOfWarmUp{2, 2, 0}));
}

TEST(ShapingMemory, writes_in_its_time_and_only_what_has_changed) {
  World w;
  w.warm_up.see("main", "9.9.9.9", {}, w.now());
  w.tasks.spawn(w.memory.run());
  w.loop.run_for(ShapingMemory::write_every - std::chrono::seconds(1));
  EXPECT_TRUE(w.records.records.empty());
  w.loop.run_for(std::chrono::seconds(1));
  EXPECT_EQ(w.records.records.size(), 1U);
  w.records.records.clear();
  w.loop.run_for(3 * ShapingMemory::write_every);
  EXPECT_TRUE(w.records.records.empty());
  w.stop();
}

TEST(ShapingMemory, tells_once_that_nothing_is_kept_and_keeps_it_when_there_is_room) {
  World w;
  w.memory.keep({"mx.example", "", {}, w.now() + std::chrono::hours(2), "closed"});
  w.warm_up.see("main", "9.9.9.9", {}, w.now());
  w.records.error = Error{Code::full, "no room"};
  w.tasks.spawn(w.memory.run());
  for (int i = 0; i < 3; ++i) {
    w.send();
    w.loop.run_for(ShapingMemory::write_every);
  }
  EXPECT_EQ(w.log.count("what was learned of other servers is not kept"), 1U);
  w.records.error.reset();
  w.stop();
  EXPECT_EQ(w.records.records.size(), 2U) << "what a source sent, and a pause";
}

TEST(ShapingMemory, leaves_a_site_alone_after_a_restart_too) {
  const shaping::Pause pause{"mx.example", "", {}, World().now() + std::chrono::hours(2), "closed"};
  World w;
  w.tasks.spawn(w.memory.run());
  w.memory.keep(pause);
  w.stop();

  const queue::Sender sender{"ann@own.example", "own.example", false};
  const queue::Crossing crossing{"mx.example", sender, QueueId{1}, queue::Urgency::usual, w.now()};
  World next;
  next.records.records = w.records.records;
  EXPECT_FALSE(next.shaper.look(crossing));
  ASSERT_TRUE(next.memory.load());
  const auto obstacle = next.shaper.look(crossing);
  ASSERT_TRUE(obstacle);
  EXPECT_EQ(obstacle->reason, queue::Obstacle::Reason::site_suspended);
  EXPECT_EQ(obstacle->until, pause.until);

  next.tasks.spawn(next.memory.run());
  next.memory.forgive("mx.example");
  next.stop();
  EXPECT_TRUE(next.records.records.empty());
}

}  // namespace
}  // namespace tapal::delivery
