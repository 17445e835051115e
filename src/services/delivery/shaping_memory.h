// Keeps in the store what a restart must not forget of other servers: how far warm-up is, and who
// is to be left alone. Written soon after it has changed, and when the server stops. Belongs to the
// dispatcher's loop.
#pragma once

#include <chrono>
#include <memory>
#include <string_view>

#include "ports/clock.h"
#include "ports/kept_records.h"
#include "ports/log.h"
#include "ports/loop.h"
#include "rules/shaping/pauses.h"
#include "rules/shaping/shaper.h"
#include "rules/shaping/warm_up.h"

namespace tapal::delivery {

// All of it outlives the memory.
struct ShapingMemoryWorld {
  Loop& loop;
  const Clock& clock;
  Log& log;
  KeptRecords& records;
  shaping::WarmUp& warm_up;
  shaping::Shaper& shaper;
};

class ShapingMemory {
 public:
  static constexpr std::chrono::seconds write_every{5};

  explicit ShapingMemory(ShapingMemoryWorld world);

  Result<void> load();  // before any mail leaves
  Task<void> run();     // until stop(); then once more
  void stop();

  void keep(const shaping::Pause& pause) { pauses_.add(pause, world_.clock.wall_now()); }
  void forgive(std::string_view site) { pauses_.forget(site); }

 private:
  Task<void> write();
  Task<bool> write(RecordKind kind, RecordsChange change);  // false: told, and still to be written

  ShapingMemoryWorld world_;
  shaping::Pauses pauses_;
  std::unique_ptr<Timer> timer_;
  bool stopped_ = false;
  bool failed_ = false;  // the last time: it is told once
};

}  // namespace tapal::delivery
