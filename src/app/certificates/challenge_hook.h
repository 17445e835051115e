// The user's own way to show challenges in DNS, from the settings: a program in dns-hooks/ of the
// configuration folder, or a script of acme.sh's dnsapi.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "app/settings/settings.h"
#include "base/result.h"
#include "ports/challenge_texts.h"
#include "ports/programs.h"

namespace tapal::app {

inline constexpr std::string_view dns_hooks_folder_name = "dns-hooks";
inline constexpr std::string_view acme_sh_folder_name = "acme.sh";  // in the data folder

struct HookFolders {
  std::filesystem::path config;
  std::filesystem::path data;
};

// Null: no hook is set. Code::invalid or denied says which setting or file is wrong; nothing of the
// environment file is repeated. `programs` must outlive it.
Result<std::unique_ptr<ChallengeTexts>> make_challenge_hook(const ChallengeHookSettings& settings,
                                                            const HookFolders& folders,
                                                            Programs& programs);

}  // namespace tapal::app
