// What the doctor starts from: the configuration folder, the settings and this machine as they are.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/settings/settings.h"
#include "base/result.h"
#include "drivers/files/config_folder.h"
#include "rules/provision/home.h"

namespace tapal::app {

struct DoctorPlace {
  std::filesystem::path config;
  std::string domain;                // A-labels
  std::vector<IpAddress> addresses;  // that mail leaves from; empty: as set, else the machine's
};

// All but what must be asked for: the queue, the backup, accounts. The folder is kept alive by what
// is returned. Code::not_found: the domain is none of ours.
Result<provision::Home> make_home(const DoctorPlace& place,
                                  const Settings& settings,
                                  const std::shared_ptr<const files::ConfigFolder>& folder,
                                  WallTime now);

// Asks the running server; nothing when none answers. Blocks for a moment.
std::optional<provision::QueueFacts> queue_of_running_server(const Settings& settings,
                                                             WallTime now);

}  // namespace tapal::app
