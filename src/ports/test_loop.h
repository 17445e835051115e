// A Loop and Clock for tests: whoever tests is its thread, and time passes only when told to.
// Resumes waiters from the loop, never from within cancel(), as real loops do.
#pragma once

#include <algorithm>
#include <chrono>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "base/task.h"
#include "ports/clock.h"
#include "ports/loop.h"

namespace tapal {

class VirtualLoop final : public Loop, public Clock {
 public:
  using Work = std::move_only_function<void()>;
  using Alarm = std::pair<Instant, std::uint64_t>;

  void post(Work work) override { posted_.push_back(std::move(work)); }
  Instant now() const override { return now_; }
  WallTime wall_now() const override {
    return wall_start +
           std::chrono::duration_cast<std::chrono::milliseconds>(now_.time_since_epoch());
  }
  std::unique_ptr<Timer> make_timer() override { return std::make_unique<VirtualTimer>(*this); }

  // Calls `work` when that time has come; forget() takes it back.
  Alarm call_at(Instant when, Work work) {
    const Alarm alarm{when, ++alarms_made_};
    alarms_.emplace(alarm, std::move(work));
    return alarm;
  }
  void forget(const Alarm& alarm) { alarms_.erase(alarm); }
  Work after_each;  // called after each piece of posted work; may be empty

  // Runs what is posted and due, until nothing is.
  void run() {
    for (std::size_t steps = 0; ring_due() || !posted_.empty(); ++steps) {
      if (steps == steps_max) std::abort();  // something never comes to rest
      if (posted_.empty()) continue;
      auto work = std::move(posted_.front());
      posted_.pop_front();
      work();
      if (after_each) after_each();
    }
  }
  // Lets time pass, stopping at each alarm on the way.
  void run_for(Duration span) {
    const Instant end = now_ + span;
    run();
    while (!alarms_.empty() && alarms_.begin()->first.first <= end) {
      now_ = std::max(now_, alarms_.begin()->first.first);
      run();
    }
    now_ = end;
    run();
  }
  // False when it did not happen within `patience`.
  bool run_until(const std::function<bool()>& happened, Duration patience) {
    const Instant end = now_ + patience;
    run();
    while (!happened()) {
      if (alarms_.empty() || alarms_.begin()->first.first > end) return false;
      now_ = std::max(now_, alarms_.begin()->first.first);
      run();
    }
    return true;
  }
  // Runs a task to its end and gives its value; nothing when it has none within `patience`.
  template <class T>
  std::optional<T> wait(Task<T> task, Duration patience = std::chrono::hours(1)) {
    std::optional<T> value;
    TaskGroup group;
    group.spawn(keep(std::move(task), value));
    run_until([&value] { return value.has_value(); }, patience);
    if (group.running() > 0) std::abort();  // the task would outlive its value's place
    return value;
  }
  bool wait(Task<void> task, Duration patience = std::chrono::hours(1)) {
    return wait(ended(std::move(task)), patience).has_value();
  }

 private:
  static constexpr std::size_t steps_max = 1'000'000;
  // Any day will do: 2026-11-22 00:00 UTC.
  static constexpr WallTime wall_start{std::chrono::days(20'779)};

  class VirtualTimer final : public Timer {
   public:
    explicit VirtualTimer(VirtualLoop& loop) : loop_(loop) {}
    ~VirtualTimer() override {
      if (waiter_) std::abort();  // must not be destroyed while waited on
    }
    Task<bool> wait_until(Instant when) override { co_return co_await Wait{*this, when, {}}; }
    void cancel() override { wake(false); }

   private:
    struct Wait {
      VirtualTimer& timer;
      Instant when;
      std::optional<Alarm> alarm;
      bool await_ready() const noexcept { return false; }
      void await_suspend(std::coroutine_handle<> handle) {
        timer.waiter_ = handle;
        if (when != never) timer.alarm_ = timer.loop_.call_at(when, [this] { timer.wake(true); });
      }
      bool await_resume() const noexcept { return timer.expired_; }
    };
    void wake(bool expired) {
      if (!waiter_) return;
      if (alarm_) loop_.forget(*std::exchange(alarm_, {}));
      expired_ = expired;
      loop_.post([handle = std::exchange(waiter_, {})] { handle.resume(); });
    }
    VirtualLoop& loop_;
    std::coroutine_handle<> waiter_;
    std::optional<Alarm> alarm_;
    bool expired_ = false;
  };

  template <class T>
  static Task<void> keep(Task<T> task, std::optional<T>& value) {
    value.emplace(co_await task);
  }
  static Task<bool> ended(Task<void> task) {
    co_await task;
    co_return true;
  }
  bool ring_due() {
    bool any = false;
    while (!alarms_.empty() && alarms_.begin()->first.first <= now_) {
      auto work = std::move(alarms_.begin()->second);
      alarms_.erase(alarms_.begin());
      work();
      any = true;
    }
    return any;
  }

  Instant now_{std::chrono::hours(1)};
  std::deque<Work> posted_;
  std::map<Alarm, Work> alarms_;
  std::uint64_t alarms_made_ = 0;
};

}  // namespace tapal
