// An order of a certificate where no server runs: with listeners of its own on ports 80 and 443.
#pragma once

#include <filesystem>
#include <string>

#include <boost/json/object.hpp>

#include "app/cli/command.h"
#include "app/settings/settings.h"
#include "base/result.h"

namespace tapal::app {

// `request` as app/certificates/parts.h has it; gives the name of the certificate's folder. Blocks,
// for minutes if need be; what happens goes to standard error. A port that cannot be had leaves out
// the challenge that needs it.
Result<std::string> order_alone(const std::filesystem::path& config,
                                const Settings& settings,
                                const std::string& request);

// The running server does it where there is one: it has the ports, and takes the files up. Else as
// above. `request` is one of cert_commands.
Result<std::string> order_certificate(const CommonOptions& common,
                                      const boost::json::object& request);

}  // namespace tapal::app
