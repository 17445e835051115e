// The server as a service of this machine: under systemd where that runs, else started and left to
// itself.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "app/cli/command.h"
#include "app/settings/settings.h"
#include "base/result.h"

namespace tapal::app {

struct ServiceFacts {
  std::filesystem::path program;  // absolute
  std::filesystem::path config;   // absolute
  std::filesystem::path state;    // absolute
};

// What Debian's package installs (service_*.txt), for a server in these places. A systemd unit: a
// user of its own, started at boot, restarted when it fails, watched, and shut into what it needs.
std::string service_unit(const ServiceFacts& facts);
// That user, as systemd-sysusers takes it; its folders, as systemd-tmpfiles does.
std::string service_user(const ServiceFacts& facts);
std::string service_folders(const ServiceFacts& facts);
// Whom a unit's text makes the service run as; empty: root.
std::string user_of_unit(std::string_view unit);

enum class ServiceStart : std::uint8_t {
  was_running,  // and has taken in the configuration
  by_systemd,   // enabled and started
  detached,     // there is no systemd here: it runs until the machine stops
};

// Starts it where it does not run, and waits until it answers. A package's unit comes before ours.
// The folders of configuration and state become its user's. `root` is where the machine's files
// are. The Error has the service's last words, or where to read them.
Result<ServiceStart> ensure_service_runs(const CommonOptions& common,
                                         const Settings& settings,
                                         const std::filesystem::path& root);

}  // namespace tapal::app
