#include "services/delivery/warm_up_keeper.h"

#include <utility>

namespace tapal::delivery {

WarmUpKeeper::WarmUpKeeper(WarmUpKeeperWorld world)
    : world_(world), timer_(world.loop.make_timer()) {}

Result<void> WarmUpKeeper::load() {
  return world_.records.read_records(RecordKind::warm_up,
                                     [this](std::string_view source, std::string_view json) {
                                       world_.warm_up.take_in(source, json);
                                     });
}

void WarmUpKeeper::stop() {
  stopped_ = true;
  timer_->cancel();
}

Task<void> WarmUpKeeper::run() {
  while (!stopped_) {
    co_await timer_->wait_until(world_.loop.now() + write_every);
    co_await write();
  }
}

// What could not be written is written with the next change.
Task<void> WarmUpKeeper::write() {
  RecordsChange change;
  for (auto& [source, json] : world_.warm_up.take_changes())
    change.put.emplace_back(std::move(source), std::move(json));
  if (change.empty()) co_return;
  const auto kept =
      co_await world_.records.change_records(world_.loop, RecordKind::warm_up, std::move(change));
  if (!kept && !failed_)
    world_.log.write(
        Level::error, "what warm-up has reached is not kept", {{"reason", kept.error().what}});
  failed_ = !kept;
}

}  // namespace tapal::delivery
