// Waits for Gmail's confirmation message to pass through the running server.
#pragma once

#include <chrono>

#include "app/cli/command.h"
#include "values/mail/address.h"

namespace tapal::app {

// Tells of each confirmation of `address` that comes; ends with the first that somebody else has
// not demonstrably written, or after `wait`. The exit code.
int wait_for_confirmation(const CommonOptions& common,
                          const mail::Address& address,
                          std::chrono::seconds wait);

}  // namespace tapal::app
