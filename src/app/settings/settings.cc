#include "app/settings/settings.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <tuple>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "app/settings/folder_version.h"
#include "app/settings/system_hostname.h"
#include "app/settings/table.h"
#include "drivers/files/files.h"
#include "values/text/ascii.h"
#include "values/text/idna.h"
#include "values/text/nearest.h"

namespace tapal::app {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t password_file_bytes_max = 4096;

std::string_view text_before_last_dot(std::string_view name) {
  return name.substr(0, std::min(name.rfind('.'), name.size()));
}

std::string_view last_part(std::string_view name) { return name.substr(name.rfind('.') + 1); }

// The known setting that was probably meant; empty when none is near.
std::string_view nearest_setting(std::string_view name) {
  std::string_view nearest;
  std::size_t least = text::slip_letters_max(name) + 1;
  for (const SettingRow& row : setting_rows()) {
    std::size_t apart = text::letters_apart(name, row.name);
    // The right word under the wrong heading.
    if (last_part(name) == last_part(row.name)) apart = std::min<std::size_t>(apart, 1);
    if (apart >= least) continue;
    least = apart;
    nearest = row.name;
  }
  return nearest;
}

bool is_section(std::string_view name) {
  const std::string prefix = std::string(name) + ".";
  return std::ranges::any_of(setting_rows(),
                             [&](const SettingRow& row) { return row.name.starts_with(prefix); });
}

// What stands in the file, for a message; settings of the table hold no secrets.
std::string shown_value(const TomlEntry& entry) {
  const auto* scalar = std::get_if<TomlScalar>(&entry.value);
  if (!scalar) return {};
  if (const auto* text = std::get_if<std::string>(&scalar->value))
    return fmt::format(" = \"{}\"", text::printable(*text, 80));
  if (const auto* number = std::get_if<std::int64_t>(&scalar->value))
    return fmt::format(" = {}", *number);
  if (const auto* real = std::get_if<double>(&scalar->value)) return fmt::format(" = {}", *real);
  if (const auto* flag = std::get_if<bool>(&scalar->value)) return fmt::format(" = {}", *flag);
  return {};
}

std::string read_entry(const TomlEntry& entry, Settings& settings) {
  const std::string name = toml_path_text(entry.path);
  if (const SettingRow* row = find_setting(name)) {
    if (const auto wrong = row->binding.read(entry, *row, settings); !wrong.empty())
      return fmt::format("{}{}: {}", name, shown_value(entry), wrong);
    return {};
  }
  const std::string shown = text::printable(name, 120);
  if (is_section(name)) {
    if (std::holds_alternative<TomlEmptyTable>(entry.value)) return {};
    return fmt::format("{0} is a table: write [{0}] and its settings in lines below", shown);
  }
  if (const SettingRow* row = find_setting(text_before_last_dot(name)))
    return fmt::format("{0} is a setting, not a table: write {0} = ...", row->name);
  const std::string_view nearest = nearest_setting(name);
  if (nearest.empty())
    return fmt::format("unknown setting {}; `tapal config reference` lists them all", shown);
  return fmt::format("unknown setting {}; did you mean {}?", shown, nearest);
}

void fill_in(Settings& settings) {
  using Mode = ResolverOptions::Mode;
  if (settings.resolver.mode != Mode::recursion && !settings.resolver.servers.empty())
    settings.resolver.mode = Mode::forward;
  // A refused message of the largest size can still be read to its end.
  auto& limits = settings.limits;
  limits.discarded_bytes = std::max(limits.discarded_bytes, 2 * limits.message_bytes);
  settings.spool.folder = (fs::path(settings.state_folder) / "spool").string();
}

void make_absolute(const fs::path& folder, std::string& path) {
  if (!path.empty()) path = (folder / path).lexically_normal().string();
}

void make_paths_absolute(const fs::path& folder, Settings& settings) {
  for (std::string* path : {&settings.state_folder,
                            &settings.listen.control,
                            &settings.tls.certificates_folder,
                            &settings.tls.trusted_ca_file,
                            &settings.mailbox.folder,
                            &settings.webhook.key_file,
                            &settings.acme.external_account_key_file,
                            &settings.acme.trusted_ca_file,
                            &settings.dns.account.credentials_file,
                            &settings.challenge_hook.acme_sh,
                            &settings.challenge_hook.environment_file,
                            &settings.resolver.root_hints_file})
    make_absolute(folder, *path);
  if (settings.resolver.trust_anchor_file)
    make_absolute(folder, *settings.resolver.trust_anchor_file);
  for (auto& [route, file] : settings.route_password_files) make_absolute(folder, file);
  for (auto& [zone, account] : settings.dns.zones) make_absolute(folder, account.credentials_file);
}

Result<std::string> read_password(const std::string& file) {
  TAPAL_TRY(std::string password, files::read_file(file, password_file_bytes_max));
  while (password.ends_with('\n') || password.ends_with('\r')) password.pop_back();
  if (password.empty()) return fail(Code::invalid, fmt::format("{}: the file is empty", file));
  return password;
}

// Where the settings name no file and the usual one is not there, there is no key.
Result<void> read_webhook_key(const fs::path& config_folder, Settings& settings) {
  constexpr std::size_t key_bytes_min = 16;
  const bool is_named = !settings.webhook.key_file.empty();
  const fs::path file =
      is_named ? fs::path(settings.webhook.key_file) : config_folder / webhook_key_file_name;
  if (!is_named && !fs::exists(file)) return {};
  TAPAL_TRY(settings.delivery.webhook.key, read_password(file.string()));
  if (settings.delivery.webhook.key.size() < key_bytes_min)
    return fail(Code::invalid,
                fmt::format("{}: a key of fewer than {} bytes can be guessed; "
                            "`openssl rand -hex 32` makes a good one",
                            file.string(),
                            key_bytes_min));
  return {};
}

}  // namespace

fs::path Settings::control_socket() const {
  if (!listen.control.empty()) return listen.control;
  return fs::path(state_folder) / "control.sock";
}

fs::path Settings::mail_folder() const {
  if (!mailbox.folder.empty()) return mailbox.folder;
  return fs::path(state_folder) / "mail";
}

fs::path Settings::certificates_folder(const fs::path& config) const {
  if (!tls.certificates_folder.empty()) return tls.certificates_folder;
  return config / "certs";
}

std::chrono::seconds Settings::dkim_expiry() const {
  return queue.retry.give_up + std::chrono::days(2);
}

ParsedSettings parse_settings(std::string_view text, std::string_view file_name) {
  ParsedSettings result;
  TomlText toml = read_toml(text);
  std::vector<TomlProblem> problems = std::move(toml.problems);
  RouteReader routes;
  SourceReader sources;
  for (const TomlEntry& entry : toml.entries) {
    sources.read(entry);
    if (SourceReader::takes(entry)) continue;
    if (entry.path.front() == "routes") {
      routes.read(entry, result.settings);
    } else if (is_dns_zone(entry)) {
      if (auto wrong = read_dns_zone(entry, result.settings); !wrong.empty())
        problems.push_back({entry.place, std::move(wrong)});
    } else if (auto wrong = read_entry(entry, result.settings); !wrong.empty()) {
      problems.push_back({entry.place, std::move(wrong)});
    }
    if (problems.size() >= settings_problems_max) break;
  }
  std::ranges::move(routes.finish(result.settings), std::back_inserter(problems));
  std::ranges::move(sources.finish(result.settings), std::back_inserter(problems));
  std::ranges::sort(problems, {}, [](const TomlProblem& problem) {
    return std::tie(problem.place.line, problem.place.column, problem.what);
  });
  if (problems.size() > settings_problems_max) problems.resize(settings_problems_max);
  for (const TomlProblem& problem : problems) {
    result.problems.push_back(fmt::format(
        "{}:{}:{}: {}", file_name, problem.place.line, problem.place.column, problem.what));
  }
  fill_in(result.settings);
  return result;
}

Result<Settings> load_settings(const fs::path& config_folder) {
  TAPAL_TRY(const auto version, read_version(config_folder));
  TAPAL_CHECK(check_version(config_form, version, config_folder.string()));
  const fs::path file = config_folder / settings_file_name;
  const auto text = files::read_file(file, settings_bytes_max);
  if (!text && text.error().code == Code::not_found)
    return fail(Code::not_found, text.error().what + "; `tapal init DOMAIN` makes one");
  if (!text) return std::unexpected(text.error());

  auto [settings, problems] = parse_settings(*text, file.string());
  make_paths_absolute(fs::absolute(config_folder), settings);
  fill_in(settings);
  if (settings.hostname.empty()) {
    if (auto name = system_hostname()) {
      settings.hostname = *std::move(name);
    } else {
      problems.push_back(fmt::format("{}: hostname is not set, and the system's is not one: {}",
                                     file.string(),
                                     name.error().what));
    }
  }
  for (const auto& [route, password_file] : settings.route_password_files) {
    if (auto password = read_password(password_file)) {
      settings.delivery.routes[route].password = *std::move(password);
    } else {
      problems.push_back(password.error().what);
    }
  }
  if (auto read = read_webhook_key(config_folder, settings); !read)
    problems.push_back(std::move(read).error().what);
  if (const auto dns_key = config_folder / dns_key_file_name;
      settings.dns.account.credentials_file.empty() && fs::exists(dns_key))
    settings.dns.account.credentials_file = fs::absolute(dns_key).string();
  settings.filters.host_name = settings.hostname;
  if (!problems.empty()) return fail(Code::invalid, fmt::format("{}", fmt::join(problems, "\n")));
  return settings;
}

fs::path config_folder_path(std::string_view option) {
  if (!option.empty()) return option;
  const char* variable = std::getenv("TAPAL_CONFIG");
  return variable && *variable ? variable : "/etc/tapal";
}

std::vector<std::string> changes_that_need_restart(const Settings& running,
                                                   const Settings& loaded) {
  std::vector<std::string> names;
  Settings before = running;
  Settings after = loaded;
  for (const SettingRow& row : setting_rows()) {
    if (row.binding.print(before) != row.binding.print(after)) names.emplace_back(row.name);
  }
  if (running.delivery.routes != loaded.delivery.routes) names.emplace_back("[routes]");
  const auto& sources = running.delivery.sources;
  if (sources.sources != loaded.delivery.sources.sources) names.emplace_back("[sources]");
  if (sources.pools != loaded.delivery.sources.pools) names.emplace_back("[pools]");
  if (running.dns.zones != loaded.dns.zones) names.emplace_back("[dns.zones]");
  return names;
}

}  // namespace tapal::app
