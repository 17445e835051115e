#include <boost/json.hpp>
#include <fmt/format.h>

#include "app/cli/control_client.h"
#include "app/commands/commands.h"
#include "app/config/domains.h"
#include "app/settings/check.h"
#include "app/settings/edit.h"
#include "app/settings/settings.h"
#include "app/settings/table.h"
#include "drivers/files/config_folder.h"
#include "drivers/system/clock.h"

namespace tapal::app {
namespace {

ConfigProblems check(const CommonOptions& common) {
  const auto settings = load_settings(common.config);
  if (!settings) return {{settings.error().what}, {}};
  const auto folder =
      files::load_config_folder({common.config, settings->certificates_folder(common.config)});
  return config_problems(folder, *settings, SystemClock().wall_now());
}

int run_config_check(const CommonOptions& common) {
  const auto found = check(common);
  const int code = found.errors.empty() ? exit_done : exit_failed;
  if (common.output == Output::json) {
    const boost::json::object answer{{"errors", json_list(found.errors)},
                                     {"warnings", json_list(found.warnings)}};
    print_json(answer);
    return code;
  }
  for (const auto& error : found.errors) fmt::print("error: {}\n", error);
  for (const auto& warning : found.warnings) fmt::print("warning: {}\n", warning);
  if (found.errors.empty())
    fmt::print("{}: the server would start with this\n", common.config.string());
  return code;
}

int run_config_reference() {
  fmt::print("{}", settings_reference_markdown());
  return exit_done;
}

int run_config_sample(const std::string& hostname) {
  fmt::print("{}", sample_settings(hostname));
  return exit_done;
}

struct NewSetting {
  std::string name;
  std::string value;
};

// A text may come without the quotes that TOML wants.
std::string as_toml(const std::string& value) {
  const bool is_toml = text::read_toml("x = " + value).problems.empty();
  return is_toml ? value : text::toml_quoted(value);
}

int run_config_set(const CommonOptions& common, const NewSetting& setting) {
  const auto changed = write_setting(common.config, setting.name, as_toml(setting.value));
  if (!changed) return tell(changed.error());
  if (*changed) take_effect(common);
  if (common.output == Output::json)
    print_json({{"setting", setting.name}, {"changed", *changed}});
  else
    fmt::print("{}: {}\n", setting.name, *changed ? "set" : "is so already");
  return exit_done;
}

int run_version(const CommonOptions& common) {
  if (common.output == Output::json)
    print_json({{"version", TAPAL_VERSION}});
  else
    fmt::print("tapal {}\n", TAPAL_VERSION);
  return exit_done;
}

}  // namespace

void declare_config(const Command& tapal) {
  const auto config = tapal.add_group("config", "the configuration", "config check");
  config
      .add("check",
           "look for errors in the configuration folder",
           "config check --config /etc/tapal")
      .runs(&run_config_check);
  config.add("reference", "print every setting as Markdown", "config reference")
      .runs([](const auto&) { return run_config_reference(); });
  const auto sample = config.add(
      "sample", "print a tapal.toml with every setting", "config sample mail.example.com");
  auto hostname = std::make_shared<std::string>("mail.example.com");
  sample.text({"hostname", "this machine's name"}, *hostname);
  sample.runs([hostname](const auto&) { return run_config_sample(*hostname); });

  const auto set =
      config.add("set", "write one setting into tapal.toml", "config set delivery.port 2525");
  auto setting = std::make_shared<NewSetting>();
  set.text({"name", "as docs/settings.md has it", true}, setting->name);
  set.text({"value", "as TOML has it; a plain text needs no quotes", true}, setting->value);
  set.changes([setting](const auto& common) { return run_config_set(common, *setting); });

  tapal.add("version", "print the version", "version").runs(&run_version);
}

}  // namespace tapal::app
