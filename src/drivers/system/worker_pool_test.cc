#include "drivers/system/worker_pool.h"

#include <array>
#include <atomic>
#include <future>
#include <latch>
#include <memory>
#include <set>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <pthread.h>

namespace tapal {
namespace {

TEST(WorkerPool, does_all_that_was_taken_in_before_it_dies) {
  std::atomic<int> done = 0;
  int taken = 0;
  {
    WorkerPool pool({.threads = 3, .waiting_max = 10'000});
    for (int i = 0; i < 5'000; ++i)
      if (pool.submit([&] { ++done; })) ++taken;
  }
  EXPECT_EQ(taken, 5'000);
  EXPECT_EQ(done, taken);
}

TEST(WorkerPool, keeps_the_order_on_one_thread) {
  std::vector<int> order;
  {
    WorkerPool pool({.threads = 1});
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(pool.submit([&order, i] { order.push_back(i); }));
  }
  ASSERT_EQ(order.size(), 100U);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
}

TEST(WorkerPool, refuses_what_its_queue_has_no_room_for_and_drops_it) {
  const auto refused = std::make_shared<int>(0);
  std::promise<void> go;
  std::latch busy(2);
  int ran = 0;
  {
    WorkerPool pool({.threads = 1, .waiting_max = 3});
    EXPECT_TRUE(pool.submit([&, gone = go.get_future()] {
      busy.arrive_and_wait();
      gone.wait();
    }));
    busy.arrive_and_wait();  // it runs, so it no longer counts as waiting
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(pool.submit([&] { ++ran; })) << i;
    EXPECT_FALSE(pool.submit([refused] { ADD_FAILURE() << "ran"; }));
    EXPECT_EQ(refused.use_count(), 1);
    go.set_value();
  }
  EXPECT_EQ(ran, 3);
}

TEST(WorkerPool, works_on_as_many_threads_as_told_under_its_name) {
  constexpr std::size_t threads = 4;
  std::array<std::string, threads> names;
  std::latch all(threads);
  {
    WorkerPool pool({.threads = threads, .name = "hash"});
    for (auto& name : names)
      EXPECT_TRUE(pool.submit([&name, &all] {
        std::array<char, 16> own{};
        pthread_getname_np(pthread_self(), own.data(), own.size());
        name = own.data();
        all.arrive_and_wait();  // passes only when all threads are here
      }));
  }
  EXPECT_EQ((std::set<std::string>(names.begin(), names.end())),
            (std::set<std::string>{"hash-0", "hash-1", "hash-2", "hash-3"}));
}

TEST(WorkerPool, takes_work_from_its_own_workers) {
  std::promise<void> done;
  WorkerPool pool({.threads = 1});
  EXPECT_TRUE(pool.submit([&] { EXPECT_TRUE(pool.submit([&] { done.set_value(); })); }));
  done.get_future().wait();
}

TEST(WorkerPool, takes_work_from_many_threads_at_once) {
  std::atomic<int> done = 0, taken = 0;
  {
    WorkerPool pool({.threads = 2, .waiting_max = 16});
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([&] {
        for (int j = 0; j < 1'000; ++j)
          if (pool.submit([&] { ++done; })) ++taken;
      });
  }
  EXPECT_GT(taken, 0);
  EXPECT_EQ(done, taken);
}

TEST(WorkerPool, destroys_work_once_it_is_done) {
  const auto held = std::make_shared<int>(0);
  WorkerPool pool({.threads = 1});
  EXPECT_TRUE(pool.submit([held] {}));
  std::promise<void> passed;
  EXPECT_TRUE(pool.submit([&] { passed.set_value(); }));
  passed.get_future().wait();
  EXPECT_EQ(held.use_count(), 1);
}

}  // namespace
}  // namespace tapal
