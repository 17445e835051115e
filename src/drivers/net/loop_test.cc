#include "drivers/net/loop.h"

#include <array>
#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <pthread.h>

#include "drivers/net/net_test_kit.h"

namespace tapal {
namespace {

using namespace net_test;

Task<void> note_when(Timer& timer, Instant when, std::vector<int>& order, int number) {
  const bool came = co_await timer.wait_until(when);
  order.push_back(came ? number : -number);
}

TEST(NetLoop, runs_posted_work_in_order_and_later) {
  NetLoop loop;
  std::vector<int> order;
  loop.post([&] {
    loop.post([&] { order.push_back(3); });
    order.push_back(1);
  });
  loop.post([&] { order.push_back(2); });
  EXPECT_TRUE(order.empty());
  loop.stop();
  loop.run();
  EXPECT_EQ(order, (std::vector{1, 2, 3}));
}

TEST(NetLoop, keeps_the_order_of_each_thread_that_posts) {
  constexpr int threads = 4, each = 2'000;
  NetLoop loop;
  std::array<int, threads> next{};
  bool ordered = true;
  std::atomic<int> left = threads;
  std::vector<std::jthread> posting;
  for (std::size_t thread = 0; thread < threads; ++thread) {
    posting.emplace_back([&, thread] {
      for (int i = 0; i < each; ++i)
        loop.post([&, thread, i] { ordered = ordered && next[thread]++ == i; });
      if (--left == 0) loop.stop();
    });
  }
  loop.run();
  EXPECT_TRUE(ordered);
  EXPECT_EQ(next, (std::array{each, each, each, each}));
}

TEST(NetLoop, knows_its_own_thread_only_while_it_runs) {
  NetLoop loop("mine");
  EXPECT_EQ(loop.name(), "mine");
  EXPECT_FALSE(loop.on_this_thread());
  bool inside = false, outside = true;
  loop.post([&] {
    inside = loop.on_this_thread();
    std::jthread([&] { outside = loop.on_this_thread(); }).join();
    loop.stop();
  });
  loop.run();
  EXPECT_TRUE(inside);
  EXPECT_FALSE(outside);
  EXPECT_FALSE(loop.on_this_thread());
}

TEST(NetLoop, drops_what_is_still_posted_when_it_dies) {
  const auto held = std::make_shared<int>(1);
  {
    NetLoop loop;
    loop.post([held] { ADD_FAILURE() << "ran"; });
  }
  EXPECT_EQ(held.use_count(), 1);
}

TEST(NetLoop, serves_what_is_pending_after_stop) {
  NetLoop loop;
  TaskGroup group;
  std::vector<int> order;
  const auto timer = loop.make_timer();
  loop.post([&] {
    group.spawn(note_when(*timer, in_ms(20), order, 1));
    loop.stop();
  });
  loop.run();
  EXPECT_EQ(order, std::vector{1});
}

TEST(Timer, comes_in_order_of_time) {
  NetLoop loop;
  TaskGroup group;
  std::vector<int> order;
  std::vector<std::unique_ptr<Timer>> timers;
  const auto start = loop.now();
  loop.post([&] {
    for (const int number : {3, 1, 4, 2}) {
      timers.push_back(loop.make_timer());
      const auto when = start + std::chrono::milliseconds(5 * number);
      group.spawn(note_when(*timers.back(), when, order, number));
    }
    loop.stop();
  });
  loop.run();
  EXPECT_EQ(order, (std::vector{1, 2, 3, 4}));
  EXPECT_GE(loop.now() - start, std::chrono::milliseconds(20));
}

TEST(Timer, waits_for_cancel_alone_when_never) {
  NetLoop loop;
  TaskGroup group;
  std::vector<int> order;
  const auto timer = loop.make_timer();
  loop.post([&] {
    group.spawn(note_when(*timer, never, order, 1));
    loop.post([&] { timer->cancel(); });
    loop.stop();
  });
  loop.run();
  EXPECT_EQ(order, std::vector{-1});
}

TEST(Timer, forgets_a_cancel_that_nobody_waited_for) {
  NetLoop loop;
  const auto timer = loop.make_timer();
  run_to_end(loop, [&]() -> Task<void> {
    timer->cancel();
    EXPECT_TRUE(co_await timer->wait_until(in_ms(5)));
    timer->cancel();
    EXPECT_TRUE(co_await timer->wait_until(loop.now() - std::chrono::hours(1)));
    EXPECT_TRUE(co_await timer->wait_until(Instant::min()));
  });
}

// Both times came in the same turn: whichever is resumed first cancels the other, which may have
// been on its way. Each wakes exactly once, and may be destroyed then.
TEST(Timer, wakes_once_when_cancel_and_time_come_together) {
  static constexpr auto wait = [](std::unique_ptr<Timer>& own,
                                  std::unique_ptr<Timer>& other,
                                  Instant when,
                                  int& wakes) -> Task<void> {
    co_await own->wait_until(when);
    ++wakes;
    if (other) other->cancel();
    own.reset();
  };
  NetLoop loop;
  TaskGroup group;
  constexpr int rounds = 200;
  std::array<std::array<std::unique_ptr<Timer>, 2>, rounds> timers;
  int wakes = 0;
  loop.post([&] {
    const auto when = in_ms(2);
    for (auto& two : timers) {
      for (auto& timer : two) timer = loop.make_timer();
      group.spawn(wait(two[0], two[1], when, wakes));
      group.spawn(wait(two[1], two[0], when, wakes));
    }
    loop.stop();
  });
  loop.run();
  EXPECT_EQ(wakes, 2 * rounds);
  EXPECT_EQ(group.running(), 0U);
}

TEST(Timer, may_be_cancelled_again_and_again) {
  NetLoop loop;
  TaskGroup group;
  std::vector<int> order;
  const auto timer = loop.make_timer();
  loop.post([&] {
    group.spawn(note_when(*timer, soon(), order, 1));
    timer->cancel();
    timer->cancel();
    loop.post([&] {
      group.spawn(note_when(*timer, soon(), order, 2));
      timer->cancel();
    });
    loop.stop();
  });
  loop.run();
  EXPECT_EQ(order, (std::vector{-1, -2}));
}

TEST(LoopPool, carries_a_task_from_loop_to_loop) {
  static constexpr auto travel = [](LoopPool& pool, std::atomic<int>& wrong) -> Task<void> {
    for (std::size_t i = 0; i < 1'000; ++i) {
      NetLoop& there = pool.loop(i % 2);
      co_await switch_to(there);
      if (!there.on_this_thread() || pool.loop((i + 1) % 2).on_this_thread()) ++wrong;
    }
    co_await switch_to(pool.loop(0));
    pool.stop();
  };
  LoopPool pool(2, "ping");
  TaskGroup group;
  std::atomic<int> wrong = 0;
  pool.loop(0).post([&] { group.spawn(travel(pool, wrong)); });
  pool.start();
  pool.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(group.running(), 0U);
}

TEST(LoopPool, names_its_threads) {
  LoopPool pool(3, "a-rather-long-name");
  EXPECT_EQ(pool.size(), 3U);
  EXPECT_EQ(pool.loop(2).name(), "a-rather-long-name-2");
  std::string name(16, '\0');
  pool.loop(1).post([&] { pthread_getname_np(pthread_self(), name.data(), name.size()); });
  pool.start();
  pool.stop();
  pool.join();
  EXPECT_STREQ(name.c_str(), "a-rather-long-n");  // as long as the kernel lets it be
}

TEST(LoopPool, may_be_stopped_and_joined_more_than_once_or_never_started) {
  {
    LoopPool pool(2, "io");
    pool.start();
    pool.stop();
    pool.stop();
    pool.join();
    pool.join();
  }
  {
    LoopPool pool(2, "io");
    pool.start();
  }
  const LoopPool unused(2, "io");
  EXPECT_EQ(unused.size(), 2U);
}

}  // namespace
}  // namespace tapal
