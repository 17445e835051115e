#include "drivers/system/service_manager.h"

#include <cstdlib>
#include <string>

#include <systemd/sd-daemon.h>

namespace tapal {
namespace {

void tell(const std::string& state) { sd_notify(0, state.c_str()); }

std::string one_line(std::string_view text) {
  std::string line(text);
  for (char& c : line)
    if (c == '\n') c = ' ';
  return line;
}

}  // namespace

void notify_ready(std::string_view status) { tell("READY=1\nSTATUS=" + one_line(status)); }
void notify_reloading() {
  const auto now = std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::steady_clock::now().time_since_epoch());
  tell("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(now.count()));
}
void notify_stopping() { tell("STOPPING=1"); }
void notify_status(std::string_view status) { tell("STATUS=" + one_line(status)); }
void notify_watchdog() { tell("WATCHDOG=1"); }

std::optional<Duration> watchdog_interval() {
  std::uint64_t microseconds = 0;
  if (sd_watchdog_enabled(0, &microseconds) <= 0) return {};
  return std::chrono::microseconds(microseconds / 2);
}

std::vector<HandedDescriptor> handed_descriptors() {
  char** names = nullptr;
  const int count = sd_listen_fds_with_names(1, &names);
  std::vector<HandedDescriptor> handed;
  for (int i = 0; i < count; ++i) {
    handed.push_back({names[i], SD_LISTEN_FDS_START + i});
    std::free(names[i]);
  }
  std::free(names);
  return handed;
}

}  // namespace tapal
