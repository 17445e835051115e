// An order of a certificate where no server runs: with listeners of its own on ports 80 and 443.
#pragma once

#include <filesystem>
#include <string>

#include "app/settings.h"
#include "base/result.h"

namespace tapal::app {

// `request` as app/certificate_parts.h has it; gives the name of the certificate's folder. Blocks,
// for minutes if need be; what happens goes to standard error. A port that cannot be had leaves out
// the challenge that needs it.
Result<std::string> order_alone(const std::filesystem::path& config,
                                const Settings& settings,
                                const std::string& request);

}  // namespace tapal::app
