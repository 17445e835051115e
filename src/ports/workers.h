// A small bounded pool of threads for slow work: hashing passwords, signing.
#pragma once

#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

#include "base/result.h"
#include "base/task.h"
#include "ports/loop.h"

namespace tapal {

struct Workers {
  virtual ~Workers() = default;
  // False when the pool's queue is full; `work` is then dropped. Safe from any thread.
  virtual bool submit(std::move_only_function<void()> work) = 0;
};

// Runs `function` on a worker and comes back to `loop` with its value; Code::full when the pool's
// queue is full. What `function` refers to must outlive the task.
template <class Function>
Task<Result<std::invoke_result_t<Function&>>> run_on(Workers& workers,
                                                     Loop& loop,
                                                     Function function) {
  using Value = std::invoke_result_t<Function&>;
  struct Run {
    Workers& workers;
    Loop& loop;
    Function& function;
    std::optional<Value> value;
    bool await_ready() const noexcept { return false; }
    bool await_suspend(std::coroutine_handle<> handle) {
      return workers.submit([this, handle] {
        value.emplace(function());
        loop.post([handle] { handle.resume(); });
      });
    }
    void await_resume() const noexcept {}
  };
  Run run{workers, loop, function, {}};
  co_await run;
  if (!run.value) co_return fail(Code::full, "the worker pool's queue is full");
  co_return std::move(*run.value);
}

}  // namespace tapal
