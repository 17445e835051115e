#include "sim/chronicle.h"

#include <chrono>

#include "sim/fingerprint.h"

namespace tapal::sim {

void Chronicle::write(std::string event) {
  const auto time = now_.time_since_epoch();
  const auto seconds = std::chrono::duration<double>(time).count();
  hash_ = fingerprint(event, hash_ ^ static_cast<std::uint64_t>(time.count()));
  ++events_;
  std::string line = fmt::format("{:>14.6f}  {}", seconds, event);
  if (trace_ == Trace::everything) fmt::print("{}\n", line);
  last_.push_back(std::move(line));
  if (last_.size() > events_kept) last_.pop_front();
}

}  // namespace tapal::sim
