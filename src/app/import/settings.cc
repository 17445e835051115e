// Settings of another mail server that have an equal here.
#include "app/settings/settings.h"

#include <algorithm>

#include <fmt/format.h>

#include "app/config/relay_route.h"
#include "app/import/import.h"
#include "app/settings/edit.h"
#include "app/settings/table.h"
#include "drivers/files/files.h"

namespace tapal::app {
namespace {

constexpr std::string_view relay_credentials = "imported-relay";

// The folder's tapal.toml; empty where there is none yet.
std::string text_now(const Import& import) {
  return files::read_file(import.common.config / settings_file_name).value_or("");
}

bool is_set(std::string_view text, std::string_view name) {
  return std::ranges::any_of(read_toml(text).entries, [&](const TomlEntry& entry) {
    const auto path = toml_path_text(entry.path);
    return path == name || path.starts_with(fmt::format("{}.", name));
  });
}

// True when it was written, or would be.
Result<bool> import_setting(Import& import, const migrate::OldSetting& old) {
  const auto what = fmt::format("{} = {}", old.name, old.value);
  const auto before = text_now(import);
  const auto after = with_setting(before, old.name, old.value);
  if (!after) {
    import.tell_left(old.place, fmt::format("{}: {}", what, after.error().what));
    return false;
  }
  const auto now = parse_settings(before, settings_file_name).settings;
  const auto then = parse_settings(*after, settings_file_name).settings;
  if (changes_that_need_restart(now, then).empty()) {
    import.tell_there(what);
    return false;
  }
  if (is_set(before, old.name)) {
    import.tell_conflict(fmt::format("{} ({}): tapal.toml says otherwise", what, old.place));
    return false;
  }
  if (!import.only_plans()) {
    TAPAL_CHECK(write_setting(import.common.config, old.name, old.value));
  }
  import.tell_carried(what);
  return true;
}

Result<void> import_relay(Import& import, const migrate::OldRelay& old) {
  const auto file = kept_name(relay_credentials);
  const auto value = relay_route({old.host, old.user, file});
  const auto path = import.common.config / file;
  const bool has_password = !old.user.empty();
  const auto kept = files::read_file(path);
  if (has_password && kept && *kept != old.password + "\n") {
    import.tell_conflict(fmt::format("{} has another password than {}", path.string(), old.place));
    return {};
  }
  TAPAL_TRY(const bool is_new,
            import_setting(import, {std::string(relay_setting), value, old.place}));
  if (!is_new || !has_password || import.only_plans()) return {};
  TAPAL_CHECK(files::create_folder(path.parent_path(), 0700));
  return files::write_atomically(path, old.password + "\n", 0600);
}

}  // namespace

Result<void> import_settings(Import& import) {
  const auto& inventory = import.inventory;
  if (const auto now = load_settings(import.common.config);
      now && now->hostname != inventory.hostname)
    import.tell_conflict(
        fmt::format("the host name {}: tapal.toml says {}", inventory.hostname, now->hostname));
  for (const auto& old : inventory.settings) {
    TAPAL_CHECK(import_setting(import, old));
  }
  if (inventory.relay) {
    TAPAL_CHECK(import_relay(import, *inventory.relay));
  }
  return {};
}

}  // namespace tapal::app
