// Whether the event loops still turn: one that hangs must miss the watchdog.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "ports/loop.h"

namespace tapal::app {

// Belongs to one thread, which may be any but a loop's.
class Heartbeat {
 public:
  // The loops must outlive it.
  explicit Heartbeat(std::vector<Loop*> loops)
      : loops_(std::move(loops)), answered_(std::make_shared<std::atomic<std::size_t>>(0)) {}

  // Whether every loop has answered what it was asked the last time; then they are asked anew.
  bool beats() {
    if (answered_->load() != asked_) return false;
    answered_->store(0);
    asked_ = loops_.size();
    for (auto* loop : loops_) loop->post([answered = answered_] { ++*answered; });
    return true;
  }

 private:
  std::vector<Loop*> loops_;
  std::shared_ptr<std::atomic<std::size_t>> answered_;
  std::size_t asked_ = 0;
};

}  // namespace tapal::app
