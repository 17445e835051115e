// An event loop: one thread, and everything that lives on it. What crosses loops is posted.
#pragma once

#include <functional>
#include <memory>

#include "base/task.h"
#include "base/time.h"

namespace tapal {

// One waiter at a time. Belongs to its loop; must not be destroyed while waited on.
struct Timer {
  virtual ~Timer() = default;
  // True when the time came, false when cancel() did. Instant `never` waits for cancel() alone.
  virtual Task<bool> wait_until(Instant when) = 0;
  virtual void cancel() = 0;  // wakes the waiter, if there is one
};

struct Loop {
  virtual ~Loop() = default;
  // Runs `work` on the loop's thread, later, in the order posted. The only call that any thread
  // may make; everything else here belongs to the loop's own thread.
  virtual void post(std::move_only_function<void()> work) = 0;
  virtual Instant now() const = 0;
  virtual std::unique_ptr<Timer> make_timer() = 0;
};

// co_await switch_to(loop): what follows runs on that loop's thread.
inline auto switch_to(Loop& loop) {
  struct Switch {
    Loop& loop;
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> handle) {
      loop.post([handle] { handle.resume(); });
    }
    void await_resume() const noexcept {}
  };
  return Switch{loop};
}

}  // namespace tapal
