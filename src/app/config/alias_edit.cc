#include "app/config/alias_edit.h"

#include <algorithm>

#include <fmt/format.h>

#include "drivers/files/config_folder.h"
#include "drivers/files/files.h"
#include "values/text/idna.h"

namespace tapal::app {
namespace {

constexpr mode_t aliases_file_mode = 0600;

struct AliasPlace {
  std::string name;
  std::string domain;
  std::filesystem::path file;
};

Result<AliasPlace> place_of(const CommonOptions& common, std::string_view text) {
  const std::size_t at = text.rfind('@');
  if (at == text.npos || at == 0)
    return fail(Code::invalid,
                fmt::format("{} is no alias: name one as info@example.com, *@example.com or "
                            "/sales-.*/@example.com",
                            text));
  TAPAL_TRY(auto domain, text::domain_to_ascii(text.substr(at + 1)));
  if (!std::filesystem::is_directory(common.config / "domains" / domain))
    return fail(
        Code::not_found,
        fmt::format("{0} is not a domain of this server; `tapal init {0}` makes it one", domain));
  auto file = files::aliases_file(common.config, domain);
  return AliasPlace{std::string(text.substr(0, at)), std::move(domain), std::move(file)};
}

// What the edited text would break that holds now; empty when nothing.
std::string new_problems(const CommonOptions& common,
                         const std::filesystem::path& file,
                         std::string text) {
  const auto before = files::load_config_folder({common.config, {}});
  const auto after = files::load_config_folder(
      {.folder = common.config, .draft = {{.file = file, .text = std::move(text)}}});
  std::string all;
  for (const auto& problem : after.problems)
    if (std::ranges::find(before.problems, problem) == before.problems.end())
      all += fmt::format("{}{}", all.empty() ? "" : "\n", problem);
  return all;
}

}  // namespace

Result<std::filesystem::path> edit_alias(const CommonOptions& common,
                                         std::string_view address,
                                         std::span<const std::string> targets,
                                         AliasEdit edit) {
  TAPAL_TRY(auto place, place_of(common, address));
  const auto change = [&](std::string_view before) {
    return edit(before, place.domain, place.name, targets);
  };
  TAPAL_CHECK(edit_aliases_file(common, place.domain, change));
  return std::move(place.file);
}

Result<void> edit_aliases_file(const CommonOptions& common,
                               std::string_view domain,
                               const std::function<Result<std::string>(std::string_view)>& change) {
  const auto file = files::aliases_file(common.config, domain);
  const auto checked = [&](std::string_view before) -> Result<std::string> {
    TAPAL_TRY(auto after, change(before));
    if (auto wrong = new_problems(common, file, after); !wrong.empty())
      return fail(Code::invalid, "nothing was changed: " + wrong);
    return after;
  };
  return files::edit_file(file, aliases_file_mode, checked);
}

}  // namespace tapal::app
