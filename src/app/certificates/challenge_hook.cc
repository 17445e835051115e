#include "app/certificates/challenge_hook.h"

#include <algorithm>

#include <fmt/format.h>
#include <unistd.h>

#include "drivers/files/files.h"
#include "services/upkeep/challenge_hooks.h"
#include "values/text/ascii.h"

namespace tapal::app {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t environment_bytes_max = 64UL * 1024;

bool is_variable(std::string_view name) {
  return !name.empty() && !text::is_digit(name.front()) &&
         std::ranges::all_of(name, [](char c) { return text::is_alnum(c) || c == '_'; });
}

// A value may stand in quotes and behind "export", as people keep them for acme.sh.
Result<std::string> variable_of(std::string_view line) {
  constexpr std::string_view exported = "export ";
  if (line.starts_with(exported)) line = text::trim(line.substr(exported.size()));
  const auto equals = line.find('=');
  if (equals == line.npos || !is_variable(line.substr(0, equals)))
    return fail(Code::invalid, "expected NAME=value");
  auto value = line.substr(equals + 1);
  const bool is_quoted = value.size() > 1 && value.front() == value.back() &&
                         (value.front() == '"' || value.front() == '\'');
  if (is_quoted) value = value.substr(1, value.size() - 2);
  return fmt::format("{}={}", line.substr(0, equals), value);
}

Result<std::vector<std::string>> read_environment(const fs::path& file) {
  std::vector<std::string> environment;
  if (file.empty()) return environment;
  std::error_code error;
  const auto rights = fs::status(file, error).permissions();
  constexpr auto others = fs::perms::group_all | fs::perms::others_all;
  if (!error && (rights & others) != fs::perms::none)
    return fail(
        Code::denied,
        fmt::format("{0}: others may read this file, which holds credentials; chmod 600 {0}",
                    file.string()));
  TAPAL_TRY(auto text, files::read_file(file, environment_bytes_max));
  int number = 0;
  for (const auto part : text::split(text, '\n')) {
    ++number;
    const auto line = text::trim(part);
    if (line.empty() || line.starts_with('#')) continue;
    auto variable = variable_of(line);
    if (!variable)
      return fail(Code::invalid,
                  fmt::format("{} line {}: {}", file.string(), number, variable.error().what));
    environment.push_back(std::move(*variable));
  }
  return environment;
}

Result<std::unique_ptr<ChallengeTexts>> make_program_hook(const fs::path& folder,
                                                          const std::string& name,
                                                          upkeep::HookOptions options,
                                                          Programs& programs) {
  TAPAL_TRY(auto path, upkeep::hook_path(folder.string(), name));
  if (access(path.c_str(), X_OK) != 0)
    return fail(Code::not_found,
                fmt::format("acme.dns_hook: {} is not there, or may not be run", path));
  return std::make_unique<upkeep::ProgramHook>(std::move(path), std::move(options), programs);
}

}  // namespace

Result<std::unique_ptr<ChallengeTexts>> make_challenge_hook(const ChallengeHookSettings& settings,
                                                            const HookFolders& folders,
                                                            Programs& programs) {
  if (settings.program.empty() && settings.acme_sh_script.empty())
    return std::unique_ptr<ChallengeTexts>();
  if (!settings.program.empty() && !settings.acme_sh_script.empty())
    return fail(Code::invalid, "acme.dns_hook and acme.dns_script exclude each other");
  upkeep::HookOptions options;
  TAPAL_TRY(options.environment, read_environment(settings.environment_file));
  if (!settings.program.empty())
    return make_program_hook(fs::absolute(folders.config) / dns_hooks_folder_name,
                             settings.program,
                             std::move(options),
                             programs);
  if (access(settings.acme_sh.c_str(), R_OK) != 0)
    return fail(
        Code::not_found,
        fmt::format("acme.acme_sh: cannot read \"{}\": where is your acme.sh?", settings.acme_sh));
  const auto home = fs::absolute(folders.data) / acme_sh_folder_name;
  TAPAL_CHECK(files::create_folder(home, 0700));
  const upkeep::AcmeShScript script{settings.acme_sh, settings.acme_sh_script, home.string()};
  TAPAL_TRY(auto hook, upkeep::AcmeShHook::from_script(script, std::move(options), programs));
  return std::make_unique<upkeep::AcmeShHook>(std::move(hook));
}

}  // namespace tapal::app
