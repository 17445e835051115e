#include "bench/traffic/idle_crowd.h"

#include <algorithm>
#include <utility>

namespace tapal::bench {

IdleCrowd::IdleCrowd(Loop& loop, Network& network, IdleOptions options)
    : loop_(loop), network_(network), options_(std::move(options)) {}

Task<void> IdleCrowd::open() {
  TaskGroup workers;
  const auto count = std::min(options_.opened_at_a_time, options_.connections);
  for (std::size_t i = 0; i < count; ++i) workers.spawn(work());
  co_await workers.join();
}

Task<void> IdleCrowd::work() {
  const auto end = loop_.now() + options_.give_up_after;
  while (begun_ < options_.connections && failed_ < options_.connections && loop_.now() < end) {
    ++begun_;
    auto sender = std::make_unique<Sender>(loop_, options_.sender);
    auto stream = co_await network_.connect(options_.server, std::nullopt, end);
    if (!stream) {
      note_failure(stream.error());
      continue;
    }
    const auto opened = co_await sender->open(*std::move(stream));
    if (!opened) {
      note_failure(opened.error());
      continue;
    }
    held_.push_back(std::move(sender));
    holding_.spawn(hold(*held_.back()));
  }
}

Task<void> IdleCrowd::hold(Sender& sender) {
  const auto ended = co_await sender.wait_for_end();
  static_cast<void>(ended);
  if (!closing_) ++dropped_;
}

void IdleCrowd::note_failure(const Error& error) {
  ++failed_;
  --begun_;  // somebody opens another in its place
  if (first_trouble_.empty()) first_trouble_ = error.what;
}

Task<void> IdleCrowd::close() {
  closing_ = true;
  for (const auto& sender : held_) sender->hang_up();
  co_await holding_.join();
}

}  // namespace tapal::bench
