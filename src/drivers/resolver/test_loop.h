// A Loop for tests: whoever tests is its thread and runs it until what he waits for has happened.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>

#include "ports/loop.h"

namespace tapal {

class TestLoop final : public Loop {
 public:
  void post(std::move_only_function<void()> work) override {
    const std::lock_guard lock(mutex_);
    posted_.push_back(std::move(work));
    changed_.notify_one();
  }
  Instant now() const override { return std::chrono::steady_clock::now(); }
  std::unique_ptr<Timer> make_timer() override {
    throw std::logic_error("this loop has no timers");
  }

  // False when `patience` is over first.
  bool run_until(const std::function<bool()>& happened,
                 Duration patience = std::chrono::seconds(30)) {
    const Instant end = now() + patience;
    std::unique_lock lock(mutex_);
    for (;;) {
      while (!posted_.empty()) {
        auto work = std::move(posted_.front());
        posted_.pop_front();
        lock.unlock();
        work();
        lock.lock();
      }
      lock.unlock();
      if (happened()) return true;
      lock.lock();
      if (posted_.empty() && !changed_.wait_until(lock, end, [this] { return !posted_.empty(); }))
        return false;
    }
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::move_only_function<void()>> posted_;
};

}  // namespace tapal
