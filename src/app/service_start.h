// The server as a service of this machine: under systemd where that runs, else started and left to
// itself.
#pragma once

#include <filesystem>
#include <string>

#include "app/command.h"
#include "app/settings.h"
#include "base/result.h"

namespace tapal::app {

struct ServiceFacts {
  std::filesystem::path program;  // absolute
  std::filesystem::path config;   // absolute
  std::filesystem::path state;    // absolute
};

// A systemd unit: started at boot, restarted when it fails, watched, and shut into what it needs.
std::string service_unit(const ServiceFacts& facts);

enum class ServiceStart : std::uint8_t {
  was_running,  // and has taken in the configuration
  by_systemd,   // enabled and started
  detached,     // there is no systemd here: it runs until the machine stops
};

// Starts it where it does not run, and waits until it answers. The Error has the service's last
// words, or where to read them.
Result<ServiceStart> ensure_service_runs(const CommonOptions& common, const Settings& settings);

}  // namespace tapal::app
