#include "app/doctor/repairs.h"

#include <algorithm>
#include <array>
#include <system_error>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/result.h"
#include "drivers/files/config_folder.h"
#include "drivers/files/files.h"
#include "rules/alias/aliases_edit.h"
#include "values/mail/address.h"

namespace tapal::app {
namespace {

using provision::Repair;

constexpr mode_t aliases_file_mode = 0600;

// An alias that would break the folder is not written.
Result<void> add_alias(const std::filesystem::path& config, const Repair& repair) {
  TAPAL_TRY(const auto address, mail::parse_address(repair.what));
  const auto file = files::aliases_file(config, address.domain);
  const std::array targets{repair.target};
  const auto problems_before = files::load_config_folder({config, {}}).problems.size();
  return files::edit_file(
      file, aliases_file_mode, [&](std::string_view before) -> Result<std::string> {
        TAPAL_TRY(auto after, alias::add_alias(before, address.domain, address.local, targets));
        const auto folder =
            files::load_config_folder({.folder = config, .draft = {{.file = file, .text = after}}});
        if (folder.problems.size() > problems_before)
          return fail(Code::invalid, fmt::format("{}", fmt::join(folder.problems, "; ")));
        return after;
      });
}

Result<void> close_to_others(const std::string& path) {
  std::error_code error;
  std::filesystem::permissions(
      path,
      std::filesystem::perms::group_all | std::filesystem::perms::others_all,
      std::filesystem::perm_options::remove,
      error);
  if (error) return fail(Code::denied, fmt::format("{}: {}", path, error.message()));
  return {};
}

}  // namespace

Repaired repair(const std::filesystem::path& config, std::span<const provision::Finding> findings) {
  Repaired repaired;
  for (const auto& finding : findings) {
    if (!finding.repair) continue;
    const auto& one = *finding.repair;
    const bool is_alias = one.kind == Repair::Kind::add_alias;
    const auto what = is_alias ? fmt::format("alias {} -> {}", one.what, one.target)
                               : fmt::format("{}: for its owner alone", one.what);
    const auto done = is_alias ? add_alias(config, one) : close_to_others(one.what);
    if (done)
      repaired.done.push_back(what);
    else
      repaired.failed.push_back(fmt::format("{}: {}", what, done.error().what));
    if (std::ranges::find(repaired.checks, finding.id) == repaired.checks.end())
      repaired.checks.push_back(finding.id);
  }
  return repaired;
}

}  // namespace tapal::app
