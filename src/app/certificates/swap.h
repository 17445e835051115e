// After certificates were taken up: proves that what is served is what is on disk, and tells both.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "drivers/files/config_folder.h"
#include "drivers/net/tls.h"
#include "ports/log.h"

namespace tapal::app {

// Of each certificate folder what was on disk when it was last looked at.
using Fingerprints = std::map<std::string, std::string, std::less<>>;

// Shakes hands with `server` for each certificate that is new since `before`, and tells what it
// shows: "certificate in use", or why it is not the one on disk. Gives what `before` is next.
Fingerprints tell_certificates(const std::vector<files::Certificate>& on_disk,
                               const Fingerprints& before,
                               const ServerContext& server,
                               Log& log);

}  // namespace tapal::app
