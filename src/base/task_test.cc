#include "base/task.h"

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tapal {
namespace {

// Suspends its awaiter until open() is called.
struct Gate {
  std::coroutine_handle<> waiting;
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> handle) noexcept { waiting = handle; }
  void await_resume() const noexcept {}
  void open() { std::exchange(waiting, nullptr).resume(); }
};

Task<std::string> give(std::string text) { co_return text + "!"; }

Task<int> wait_then(Gate& gate, int value) {
  co_await gate;
  co_return value;
}

TEST(Task, hands_its_value_to_the_awaiter) {
  TaskGroup group;
  std::string got;
  const auto body = [](std::string& out) -> Task<void> { out = co_await give("hello"); };
  group.spawn(body(got));
  EXPECT_EQ(got, "hello!");
  EXPECT_EQ(group.running(), 0U);
}

TEST(Task, survives_a_million_awaits_without_growing_the_stack) {
  TaskGroup group;
  long sum = 0;
  const auto body = [](long& out) -> Task<void> {
    const auto one = []() -> Task<int> { co_return 1; };
    for (int i = 0; i < 1'000'000; ++i) out += co_await one();
  };
  group.spawn(body(sum));
  EXPECT_EQ(sum, 1'000'000);
}

TEST(Task, passes_an_exception_up) {
  TaskGroup group;
  bool caught = false;
  const auto thrower = []() -> Task<int> {
    throw std::runtime_error("defect");
    co_return 0;
  };
  const auto body = [&thrower](bool& out) -> Task<void> {
    try {
      co_await thrower();
    } catch (const std::runtime_error&) {
      out = true;
    }
  };
  group.spawn(body(caught));
  EXPECT_TRUE(caught);
}

TEST(TaskGroup, join_waits_for_every_task) {
  TaskGroup group;
  TaskGroup outer;
  Gate first;
  Gate second;
  std::vector<int> got;
  bool joined = false;
  const auto body = [](Gate& gate, int value, std::vector<int>& out) -> Task<void> {
    out.push_back(co_await wait_then(gate, value));
  };
  group.spawn(body(first, 1, got));
  group.spawn(body(second, 2, got));
  const auto joiner = [](TaskGroup& of, bool& out) -> Task<void> {
    co_await of.join();
    out = true;
  };
  outer.spawn(joiner(group, joined));
  second.open();
  EXPECT_FALSE(joined);
  first.open();
  EXPECT_TRUE(joined);
  EXPECT_EQ(got, (std::vector<int>{2, 1}));
}

}  // namespace
}  // namespace tapal
