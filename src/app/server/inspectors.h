// What looks at mail from outside, built from the settings: filters and look-ups for each loop.
#pragma once

#include <memory>
#include <vector>

#include "app/settings/settings.h"
#include "drivers/net/http_client.h"
#include "drivers/net/loop.h"
#include "ports/clock.h"
#include "ports/kept_records.h"
#include "ports/log.h"
#include "ports/programs.h"
#include "ports/resolver.h"
#include "ports/stream.h"
#include "services/intake/inspection.h"
#include "services/judge/make_judges.h"
#include "values/dns/public_suffix.h"

namespace tapal::app {

// References must outlive the inspectors.
struct InspectorsWorld {
  LoopPool& loops;
  Clock& clock;
  Log& log;
  Resolver& resolver;
  TlsClient& tls;
  Programs& programs;
  KeptRecords& records;
};

class Inspectors {
 public:
  Inspectors(const judge::Options& options, InspectorsWorld world);

  const intake::InspectionWorld& of_loop(std::size_t number) const {
    return of_loops_.at(number)->world;
  }

 private:
  struct OfLoop {
    OfLoop(const judge::Options& options,
           const InspectorsWorld& with,
           NetLoop& loop,
           Inspectors& all);

    StreamHttpClient http;
    std::unique_ptr<judge::Judges> judges;
    intake::InspectionWorld world;
  };

  dns::PublicSuffixes suffixes_;
  judge::GreylistMemory greylist_;
  std::vector<std::unique_ptr<OfLoop>> of_loops_;
};

}  // namespace tapal::app
