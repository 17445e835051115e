// Tells systemd how the service is (sd_notify(3)). Without systemd nothing happens. All are safe
// from any thread.
#pragma once

#include <optional>
#include <string_view>

#include "base/time.h"

namespace tapal {

void notify_ready(std::string_view status);
void notify_reloading();  // notify_ready() ends it
void notify_stopping();
void notify_status(std::string_view status);  // one line for `systemctl status`
void notify_watchdog();
// How often notify_watchdog() is expected at least (half of WatchdogSec=), if it is.
std::optional<Duration> watchdog_interval();

}  // namespace tapal
