// A call that blocks for the disk, made on a worker.
#pragma once

#include <utility>

#include "ports/workers.h"

namespace tapal::upkeep {

// `function` gives a Result; what it refers to must outlive the task. Code::full when the workers
// have too much to do.
template <class Function>
Task<std::invoke_result_t<const Function&>> on_worker(Workers& workers,
                                                      Loop& loop,
                                                      Function function) {
  auto done = co_await run_on(workers, loop, std::move(function));
  if (!done) co_return std::unexpected(std::move(done).error());
  co_return *std::move(done);
}

}  // namespace tapal::upkeep
