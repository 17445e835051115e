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
  const auto sources = world_.warm_up.take_changes();
  RecordsChange warm_up;
  for (const auto& [source, json] : sources) warm_up.put.emplace_back(source, json);
  const bool warm_up_kept = co_await write(RecordKind::warm_up, std::move(warm_up));
  if (!warm_up_kept) world_.warm_up.not_kept(sources);
  const auto changes = pauses_.take_changes(world_.clock.wall_now());
  RecordsChange pauses{changes.put, changes.removed};
  const bool pauses_kept = co_await write(RecordKind::pause, std::move(pauses));
  if (!pauses_kept) pauses_.not_kept(changes);
}

Task<bool> ShapingMemory::write(RecordKind kind, RecordsChange change) {
  if (change.empty()) co_return true;
  const auto kept = co_await world_.records.change_records(world_.loop, kind, std::move(change));
  if (!kept && !failed_)
    world_.log.write(Level::error,
                     "what was learned of other servers is not kept",
                     {{"reason", kept.error().what}});
  failed_ = !kept;
  co_return !failed_;
}

}  // namespace tapal::delivery
