// Asks the running server over its control socket.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"

namespace tapal::app {

// One JSON object in, one out (services/api/control.h). not_found: no server listens there.
Result<std::string> ask_server(const std::filesystem::path& socket, std::string request);

}  // namespace tapal::app
