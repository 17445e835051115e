// Moves the bytes of one connection to the sink.
#pragma once

#include "base/task.h"
#include "bench/traffic/sink_session.h"
#include "bench/traffic/tally.h"
#include "ports/loop.h"
#include "ports/stream.h"

namespace tapal::bench {

// All of them outlive the task; `tls` is wanted where the policy offers STARTTLS.
struct SinkServer {
  Loop& loop;
  const SinkPolicy& policy;
  TlsServer* tls = nullptr;
  Tally& tally;
};

// Ends with the connection, which it leaves to the caller to close.
Task<void> serve(SinkServer sink, Stream& stream);

}  // namespace tapal::bench
