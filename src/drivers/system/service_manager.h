// Tells systemd how the service is (sd_notify(3)), and takes the sockets it holds for it. Without
// systemd nothing happens. All are safe from any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace tapal {

void notify_ready(std::string_view status);
void notify_reloading();  // notify_ready() ends it
void notify_stopping();
void notify_status(std::string_view status);  // one line for `systemctl status`
void notify_watchdog();
// How often notify_watchdog() is expected at least (half of WatchdogSec=), if it is.
std::optional<Duration> watchdog_interval();

// What systemd opened for this process (sd_listen_fds_with_names(3)), for the caller to close. The
// next call, and programs that are started, see none.
struct HandedDescriptor {
  std::string name;  // FileDescriptorName=, which is the unit's name where it says nothing
  int descriptor = -1;
};
std::vector<HandedDescriptor> handed_descriptors();

}  // namespace tapal
