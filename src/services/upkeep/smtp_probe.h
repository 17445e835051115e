// A look at a mail server's port as a stranger: its greeting, what it offers in clear and under
// TLS, its certificate, and whether it takes mail for others. Never sends a message.
#pragma once

#include <string>

#include "base/task.h"
#include "ports/loop.h"
#include "ports/stream.h"
#include "rules/provision/evidence.h"

namespace tapal::upkeep {

struct ProbeWorld {
  Loop& loop;
  Network& network;  // of `loop`
  TlsClient& tls;
  // As PEM, the server's own first; services do not know the driver that has them.
  std::string (*certificates_of)(const Stream& stream) = nullptr;
  std::chrono::seconds time_max{15};  // for all of one look
};

// Whatever goes wrong is a part of the answer.
Task<provision::SmtpFact> probe_smtp(ProbeWorld world, provision::SmtpProbe probe);

}  // namespace tapal::upkeep
