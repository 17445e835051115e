// What mail leaves from in a running server: the sources, the watch over them, the shaper, and what
// it remembers. Belongs to the dispatcher's loop.
#pragma once

#include <map>
#include <string>

#include "app/settings/settings.h"
#include "ports/clock.h"
#include "ports/kept_records.h"
#include "ports/log.h"
#include "ports/loop.h"
#include "ports/resolver.h"
#include "rules/shaping/providers.h"
#include "rules/shaping/shaper.h"
#include "rules/shaping/sources.h"
#include "services/api/control.h"
#include "services/delivery/shaping_memory.h"
#include "services/delivery/source_table.h"
#include "services/delivery/source_watch.h"

namespace tapal::app {

// All of it outlives the egress.
struct EgressWorld {
  Loop& loop;
  Clock& clock;
  Log& log;
  Resolver& resolver;
  KeptRecords& records;
  const Settings& settings;
  const shaping::ProviderTable& providers;
};

class Egress {
 public:
  explicit Egress(EgressWorld world);

  shaping::Shaper& shaper() { return shaper_; }
  delivery::ShapingMemory& memory() { return memory_; }
  const delivery::SourceTable& table() const { return table_; }
  // Commands of the control socket that this answers.
  std::map<std::string, api::OtherCommand, std::less<>> commands();

  Result<void> load();  // before start()
  void start();         // before any mail leaves
  void look_again() { watch_.look_again(); }
  Task<void> stop();  // once no more mail leaves
  Task<void> end();   // once DNS no longer holds anybody up

 private:
  EgressWorld world_;
  shaping::Sources sources_;
  delivery::SourceTable table_;
  delivery::SourceWatch watch_;
  shaping::Shaper shaper_;
  delivery::ShapingMemory memory_;
  TaskGroup tasks_;
};

}  // namespace tapal::app
