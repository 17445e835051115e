// A few threads and a bounded queue before them.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "ports/workers.h"

namespace tapal {

struct WorkerPoolOptions {
  std::size_t threads = 2;
  std::size_t waiting_max = 256;  // tasks not yet begun
  std::string name = "worker";    // threads are "worker-0", ...; at most 12 characters show
};

class WorkerPool final : public Workers {
 public:
  explicit WorkerPool(WorkerPoolOptions options);
  ~WorkerPool() override;  // does all that was taken in, then joins

  bool submit(std::move_only_function<void()> work) override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tapal
