// Asks the world what the doctor's checks want to know, many questions at once, all with bounds.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "ports/clock.h"
#include "ports/http_client.h"
#include "ports/resolver.h"
#include "rules/provision/checks.h"
#include "services/upkeep/registration.h"
#include "services/upkeep/smtp_probe.h"
#include "services/upkeep/zone_authorities.h"

namespace tapal::upkeep {

struct ExaminationWorld {
  Resolver& resolver;
  HttpClient& http;
  Clock& clock;
  ProbeWorld probes;
  std::string registries = std::string(rdap_lists);  // where to find them
  AuthorityOptions authorities = {};
  std::chrono::seconds time_max{120};  // for all of it; what is open then has no answer
  std::size_t at_once_max = 32;
  std::function<bool()> is_stopping = {};  // true: no more questions; may be empty
};

// Until every check has come to its end; its findings stand then. Runs on the probes' loop.
// References must outlive the task.
Task<void> examine(ExaminationWorld world, provision::Examination& examination);

}  // namespace tapal::upkeep
