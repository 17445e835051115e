// From the configuration folder to what intake works with: keys parsed once.
#pragma once

#include <memory>

#include "base/result.h"
#include "drivers/files/config_folder.h"
#include "services/intake/domains.h"

namespace tapal::app {

// The Error names the key file that cannot be used.
Result<std::shared_ptr<const intake::Domains>> make_domains(const files::ConfigFolder& folder);

}  // namespace tapal::app
