// The current version of something many threads read and one replaces: configuration, certificates.
// A reader keeps the version it took for as long as it needs it.
#pragma once

#include <memory>
#include <mutex>
#include <utility>

namespace tapal {

template <class T>
class Snapshot {
 public:
  explicit Snapshot(std::shared_ptr<const T> first) : current_(std::move(first)) {}

  std::shared_ptr<const T> get() const {
    const std::scoped_lock lock(mutex_);
    return current_;
  }
  void set(std::shared_ptr<const T> next) {
    const std::scoped_lock lock(mutex_);
    current_.swap(next);  // the old version dies outside the lock
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const T> current_;
};

}  // namespace tapal
