// The table of mailbox providers that ships, with the owner's providers.toml over it.
#pragma once

#include <filesystem>

#include "base/result.h"
#include "rules/shaping/providers.h"

namespace tapal::app {

inline constexpr std::string_view providers_file_name = "providers.toml";

// The file may be absent. The Error says "file:line: what is wrong".
Result<shaping::ProviderTable> load_providers(const std::filesystem::path& config_folder);

}  // namespace tapal::app
