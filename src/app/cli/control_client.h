// Asks the running server over its control socket.
#pragma once

#include <chrono>
#include <expected>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <boost/json/object.hpp>

#include "app/cli/command.h"
#include "base/result.h"
#include "base/task.h"
#include "drivers/net/loop.h"
#include "ports/stream.h"

namespace tapal::app {

inline constexpr std::chrono::minutes control_patience{10};  // an order to a million messages

// A connection to it, for who has several questions.
class ControlConnection {
 public:
  // not_found: no server listens there.
  static Task<Result<ControlConnection>> open(NetLoop& loop, std::filesystem::path socket);

  // A line: one JSON object.
  Task<Result<std::string>> ask(std::string request, std::chrono::seconds patience);

 private:
  ControlConnection(NetLoop& loop, std::unique_ptr<Stream> stream)
      : loop_(&loop), stream_(std::move(stream)) {}
  NetLoop* loop_;
  std::unique_ptr<Stream> stream_;
};

// One JSON object in, one out (services/api/control.h). not_found: no server listens there.
Result<std::string> ask_server(const std::filesystem::path& socket,
                               std::string request,
                               std::chrono::seconds patience = control_patience);

// The same for a command, by the settings' socket: the server's answer, or an exit code with the
// reason already told. With Output::json the answer is printed.
std::expected<boost::json::object, int> ask_and_tell(const CommonOptions& common,
                                                     const boost::json::object& request);

// Has the running server read the changed folder at once. False when none runs: then the change
// holds from its start on. What the server finds wrong is told.
bool take_effect(const CommonOptions& common);

}  // namespace tapal::app
