// From a thread outside: run a task on a loop and wait for its end. Never from a loop's own thread.
#pragma once

#include <functional>
#include <future>
#include <utility>

#include "base/task.h"
#include "ports/loop.h"

namespace tapal::app {

template <class MakeTask>
void on_loop(Loop& loop, MakeTask make_task) {
  std::promise<void> ended;
  TaskGroup group;
  const auto run = [](MakeTask& make, std::promise<void>& end) -> Task<void> {
    co_await make();
    end.set_value();
  };
  loop.post([&] { group.spawn(run(make_task, ended)); });
  ended.get_future().wait();
  // The task's last step may still be running: let the loop pass once more.
  std::promise<void> passed;
  loop.post([&passed] { passed.set_value(); });
  passed.get_future().wait();
}

}  // namespace tapal::app
