// For commands: one loop, one task, its value.
#pragma once

#include <optional>
#include <utility>

#include "base/task.h"
#include "drivers/net/loop.h"

namespace tapal::app {

// Runs make_task(loop) on a loop of its own in this thread and gives what it came to.
template <class Value, class MakeTask>
Value run_once(MakeTask make_task) {
  NetLoop loop("command");
  std::optional<Value> value;
  TaskGroup group;
  const auto run = [](MakeTask& make, NetLoop& on, std::optional<Value>& out) -> Task<void> {
    out.emplace(co_await make(on));
    on.stop();
  };
  loop.post([&] { group.spawn(run(make_task, loop, value)); });
  loop.run();
  // NOLINTNEXTLINE(bugprone-unchecked-optional-access): the loop ends when the task has
  return *std::move(value);
}

}  // namespace tapal::app
