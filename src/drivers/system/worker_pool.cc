#include "drivers/system/worker_pool.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <pthread.h>

namespace tapal {

struct WorkerPool::State {
  explicit State(std::size_t most) : waiting_max(most) {}

  void work() {
    std::unique_lock lock(mutex);
    for (;;) {
      ready.wait(lock, [this] { return stopping || !waiting.empty(); });
      if (waiting.empty()) return;
      auto task = std::move(waiting.front());
      waiting.pop_front();
      lock.unlock();
      task();
      task = nullptr;  // what it holds dies outside the lock
      lock.lock();
    }
  }

  std::size_t waiting_max;
  std::mutex mutex;
  std::condition_variable ready;
  std::deque<std::move_only_function<void()>> waiting;
  bool stopping = false;
  std::vector<std::jthread> threads;
};

WorkerPool::WorkerPool(WorkerPoolOptions options)
    : state_(std::make_unique<State>(options.waiting_max)) {
  for (std::size_t i = 0; i < options.threads; ++i) {
    auto name = fmt::format("{:.12}-{}", options.name, i).substr(0, 15);
    state_->threads.emplace_back([state = state_.get(), name = std::move(name)] {
      pthread_setname_np(pthread_self(), name.c_str());
      state->work();
    });
  }
}

WorkerPool::~WorkerPool() {
  {
    const std::scoped_lock lock(state_->mutex);
    state_->stopping = true;
  }
  state_->ready.notify_all();
  state_->threads.clear();  // joins
}

bool WorkerPool::submit(std::move_only_function<void()> work) {
  {
    const std::scoped_lock lock(state_->mutex);
    if (state_->stopping || state_->waiting.size() >= state_->waiting_max) return false;
    state_->waiting.push_back(std::move(work));
  }
  state_->ready.notify_one();
  return true;
}

}  // namespace tapal
