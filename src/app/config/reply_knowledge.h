// What is known of replies and of mailbox providers, with what the operator adds in the
// configuration folder: providers.toml and bounce-rules.toml. Either file may be absent.
#pragma once

#include <filesystem>

#include "base/result.h"
#include "rules/bounce/bounce_rules.h"
#include "rules/shaping/providers.h"

namespace tapal::app {

Result<shaping::ProviderTable> load_providers(const std::filesystem::path& config_folder);
Result<bounce::BounceRules> load_bounce_rules(const std::filesystem::path& config_folder);

}  // namespace tapal::app
