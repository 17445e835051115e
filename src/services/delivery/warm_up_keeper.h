// Keeps what warm-up remembers in the store: soon after it has changed, and when the server stops.
// Belongs to the dispatcher's loop.
#pragma once

#include <chrono>
#include <memory>

#include "ports/kept_records.h"
#include "ports/log.h"
#include "ports/loop.h"
#include "rules/shaping/warm_up.h"

namespace tapal::delivery {

// All of it outlives the keeper.
struct WarmUpKeeperWorld {
  Loop& loop;
  Log& log;
  KeptRecords& records;
  shaping::WarmUp& warm_up;
};

class WarmUpKeeper {
 public:
  static constexpr std::chrono::seconds write_every{5};

  explicit WarmUpKeeper(WarmUpKeeperWorld world);

  Result<void> load();  // before any mail leaves
  Task<void> run();     // until stop(); then once more
  void stop();

 private:
  Task<void> write();

  WarmUpKeeperWorld world_;
  std::unique_ptr<Timer> timer_;
  bool stopped_ = false;
  bool failed_ = false;  // the last time: it is told once
};

}  // namespace tapal::delivery
