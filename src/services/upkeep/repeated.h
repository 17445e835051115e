// A chore that is done at once and then again and again.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <utility>

#include "ports/loop.h"

namespace tapal::upkeep {

class Repeated {
 public:
  using Chore = std::function<Task<void>()>;
  // On `loop`, which outlives this; `every` counts from a chore's end.
  Repeated(Loop& loop, std::chrono::milliseconds every, Chore chore)
      : loop_(loop), timer_(loop.make_timer()), every_(every), chore_(std::move(chore)) {}

  Task<void> run() {
    while (!stopped_) {
      co_await chore_();
      if (!stopped_) co_await timer_->wait_until(loop_.now() + every_);
    }
  }
  // On the loop's thread; run() then ends with the chore under way.
  void stop() {
    stopped_ = true;
    timer_->cancel();
  }

 private:
  Loop& loop_;
  std::unique_ptr<Timer> timer_;
  std::chrono::milliseconds every_;
  Chore chore_;
  bool stopped_ = false;
};

}  // namespace tapal::upkeep
