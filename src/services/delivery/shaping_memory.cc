#include "services/delivery/shaping_memory.h"

#include <utility>

namespace tapal::delivery {

ShapingMemory::ShapingMemory(ShapingMemoryWorld world)
    : world_(world), timer_(world.loop.make_timer()) {}

Result<void> ShapingMemory::load() {
  const auto now = world_.clock.wall_now();
  TAPAL_CHECK(world_.records.read_records(RecordKind::warm_up,
                                          [this](std::string_view source, std::string_view json) {
                                            world_.warm_up.take_in(source, json);
                                          }));
  return world_.records.read_records(RecordKind::pause,
                                     [this, now](std::string_view key, std::string_view json) {
                                       if (const auto pause = pauses_.take_in(key, json, now))
                                         world_.shaper.resume(*pause, now);
                                     });
}

void ShapingMemory::stop() {
  stopped_ = true;
  timer_->cancel();
}

Task<void> ShapingMemory::run() {
  while (!stopped_) {
    co_await timer_->wait_until(world_.loop.now() + write_every);
    co_await write();
  }
}

Task<void> ShapingMemory::write() {
  RecordsChange warm_up;
  for (auto& [source, json] : world_.warm_up.take_changes())
    warm_up.put.emplace_back(std::move(source), std::move(json));
  co_await write(RecordKind::warm_up, std::move(warm_up));
  auto [put, removed] = pauses_.take_changes(world_.clock.wall_now());
  RecordsChange pauses{std::move(put), std::move(removed)};
  co_await write(RecordKind::pause, std::move(pauses));
}

// What could not be written is written with the next change of the same thing, if there is one.
Task<void> ShapingMemory::write(RecordKind kind, RecordsChange change) {
  if (change.empty()) co_return;
  const auto kept = co_await world_.records.change_records(world_.loop, kind, std::move(change));
  if (!kept && !failed_)
    world_.log.write(Level::error,
                     "what was learned of other servers is not kept",
                     {{"reason", kept.error().what}});
  failed_ = !kept;
}

}  // namespace tapal::delivery
