// What becomes of messages in the running server, from before they are handed to it.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "app/cli/control_client.h"
#include "base/result.h"
#include "base/task.h"
#include "drivers/net/loop.h"
#include "services/api/event_watch.h"

namespace tapal::app {

class MessageTrail {
 public:
  // From here on nothing is missed. not_found: no server runs.
  static Task<Result<MessageTrail>> begin(NetLoop& loop, std::filesystem::path control_socket);

  // What happened to that message since, up to the first delivery or failure; what there is when
  // `patience` ends. In the order it happened.
  Task<Result<std::vector<api::SeenEvent>>> to_its_end(std::string queue_id,
                                                       std::chrono::seconds patience);

 private:
  MessageTrail(NetLoop& loop, ControlConnection server)
      : loop_(&loop), server_(std::move(server)) {}
  NetLoop* loop_;
  ControlConnection server_;
};

// "01ABC..." of "250 2.0.0 queued as 01ABC..."; empty when there is none.
std::string queue_id_of(std::string_view reply);

}  // namespace tapal::app
