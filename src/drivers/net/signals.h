// Signals as calls on a loop.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "drivers/net/loop.h"

namespace tapal {

// While it lives, these signals do not have their default effect but call `on_signal` with their
// number on the loop's thread. No signal mask is changed, so programs started meanwhile get the
// defaults. One at a time per signal number.
class Signals {
 public:
  Signals(NetLoop& loop, std::vector<int> numbers, std::move_only_function<void(int)> on_signal);
  ~Signals();  // closes
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;
  void close();  // on the loop's thread, or when it does not run

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace tapal
