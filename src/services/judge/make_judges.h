// The judges that configuration asks for, in order of cost: DNS lists, greylist, milters, rspamd,
// hooks.
#pragma once

#include <memory>

#include "ports/clock.h"
#include "ports/http_client.h"
#include "ports/kept_records.h"
#include "ports/log.h"
#include "ports/loop.h"
#include "ports/programs.h"
#include "ports/resolver.h"
#include "ports/stream.h"
#include "services/judge/greylist.h"
#include "services/judge/judges.h"
#include "services/judge/options.h"

namespace tapal::judge {

// What one loop's judges reach the world by; all must outlive them.
struct World {
  Loop& loop;
  Network& network;  // of `loop`
  Clock& clock;
  Log& log;
  Resolver& resolver;
  HttpClient& http;
  Programs& programs;
  GreylistMemory& greylist;  // shared by all loops
  KeptRecords* records;      // of the greylist; null: it forgets with the process
};

// One for each loop. Empty where nothing is configured.
std::unique_ptr<Judges> make_judges(const Options& options, World world);

}  // namespace tapal::judge
