// `tapal import`: reads another mail server's configuration, and carries over what it can.
#include "app/import/import.h"

#include <array>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "app/cli/control_client.h"
#include "app/commands/commands.h"
#include "app/import/old_files.h"
#include "app/settings/settings.h"
#include "app/settings/system_hostname.h"
#include "drivers/files/config_folder.h"
#include "drivers/files/folder_lock.h"
#include "rules/migrate/chasquid.h"
#include "rules/migrate/passwd_file.h"
#include "rules/migrate/postfix.h"
#include "values/text/idna.h"

namespace tapal::app {
namespace {

namespace fs = std::filesystem;

constexpr std::array import_phases{
    Phase<Import>{"certificates", &import_certificates},
    Phase<Import>{"domains and keys", &import_domains},
    Phase<Import>{"settings", &import_settings},
    Phase<Import>{"users", &import_users},
    Phase<Import>{"aliases", &import_aliases},
    Phase<Import>{"what stays behind", &import_ending},
};

// Half a server is not carried over.
Result<void> check_all_was_read(const DiskFiles& files) {
  const auto& refusal = files.refusal();
  if (!refusal) return {};
  return fail(Code::denied, fmt::format("{}; nothing was imported", refusal->what));
}

Result<migrate::Inventory> read_chasquid(const ImportOptions& options) {
  const DiskFiles files(options.folder);
  auto inventory = migrate::read_chasquid(files);
  TAPAL_CHECK(check_all_was_read(files));
  if (!inventory)
    return fail(inventory.error().code,
                fmt::format("{} is no configuration folder of chasquid: {}",
                            options.folder,
                            inventory.error().what));
  if (options.passwd_file.empty()) return inventory;
  TAPAL_TRY(const auto text, DiskFiles({}).read(options.passwd_file));
  const auto home = inventory->domains.empty() ? "" : inventory->domains.begin()->second.name;
  migrate::add_passwd_file({text, options.passwd_file, home}, *inventory);
  return inventory;
}

// Of a copy of another machine's files, as /mnt/old/etc/postfix, all else is taken from there, too.
fs::path root_of(const fs::path& folder) {
  const auto above = folder.parent_path();
  const bool is_copy = folder.filename() == "postfix" && above.filename() == "etc";
  return is_copy && above.parent_path() != "/" ? above.parent_path() : fs::path();
}

Result<migrate::Inventory> read_postfix(const ImportOptions& options) {
  std::error_code ignored;
  const auto folder = fs::weakly_canonical(options.folder, ignored);
  TAPAL_TRY(const auto hostname, system_hostname());
  migrate::PostfixPlaces places{.folder = folder.string(), .system_hostname = hostname};
  if (!options.passwd_file.empty()) {
    TAPAL_TRY(places.passwd_text, DiskFiles({}).read(options.passwd_file));
    places.passwd_file = options.passwd_file;
  }
  const DiskFiles files(root_of(folder));
  auto inventory = migrate::read_postfix(files, places);
  TAPAL_CHECK(check_all_was_read(files));
  if (!inventory)
    return fail(inventory.error().code,
                fmt::format("{} is no configuration folder of Postfix: {}",
                            options.folder,
                            inventory.error().what));
  return inventory;
}

// What the phases may take for granted.
Result<void> complete(const ImportOptions& options, migrate::Inventory& inventory) {
  if (inventory.domains.empty())
    return fail(Code::not_found,
                fmt::format("{}: no domain that mail is taken for was found", options.folder));
  if (!options.hostname.empty()) inventory.hostname = options.hostname;
  if (inventory.hostname.empty()) {
    TAPAL_TRY(inventory.hostname, system_hostname());
  }
  return text::check_hostname(inventory.hostname);
}

// Nothing is compared with what cannot be read.
Result<void> check_own_folder(const fs::path& config) {
  const auto mistake = [](std::string_view what) {
    return fail(Code::invalid,
                fmt::format("what is here has a mistake in it, to be mended first: {}", what));
  };
  if (!fs::exists(config)) return {};
  const auto before = files::load_config_folder({config, {}});
  if (!before.problems.empty()) return mistake(before.problems.front());
  if (!fs::exists(config / settings_file_name)) return {};
  const auto settings = load_settings(config);
  return settings ? Result<void>() : mistake(settings.error().what);
}

Result<void> carry_over(Import& import) {
  TAPAL_CHECK(check_own_folder(import.common.config));
  return run_phases(import_phases, import);
}

using ReadOld = Result<migrate::Inventory> (*)(const ImportOptions&);

Result<int> carry_over(const CommonOptions& common, const ImportOptions& options, ReadOld read) {
  TAPAL_TRY(auto inventory, read(options));
  TAPAL_CHECK(complete(options, inventory));
  PhaseReport report(common.output, {});
  Import import{.common = common, .options = options, .inventory = inventory, .report = report};
  if (import.only_plans()) {
    TAPAL_CHECK(carry_over(import));
  } else {
    TAPAL_TRY(const auto lock, files::FolderLock::take(common.config, "imports"));
    TAPAL_CHECK(carry_over(import));
    if (import.carried > 0) take_effect(common);
  }
  return import.conflicts == 0 ? exit_done : exit_failed;
}

int run_import(const CommonOptions& common, const ImportOptions& options, ReadOld read) {
  const auto code = carry_over(common, options, read);
  return code ? *code : tell(code.error());
}

struct ImportFlags {
  ImportOptions options;
  bool plan = false;
  bool clear_passwords = false;
};

void declare_source(const Command& command, std::shared_ptr<ImportFlags> flags, ReadOld read) {
  auto& options = flags->options;
  command.flag({"--plan", "tell what would be carried over, and change nothing"}, flags->plan);
  command.text({"--passwd-file", "users and password hashes of a Dovecot beside it, one a line"},
               options.passwd_file);
  command.flag({"--clear-passwords", "also take passwords that are kept in the clear; hashes stay"},
               flags->clear_passwords);
  command.text({"--hostname", "this machine's name; default that of the old server"},
               options.hostname);
  command.text({"--state-folder", "where the queue is kept; default /var/lib/tapal"},
               options.state_folder);
  command.changes([flags = std::move(flags), read](const auto& common) {
    auto chosen = flags->options;
    if (flags->plan) chosen.mode = ImportMode::plan;
    if (flags->clear_passwords) chosen.clear_passwords = ClearPasswords::take;
    return run_import(common, chosen, read);
  });
}

}  // namespace

void Import::tell_carried(std::string_view what) {
  ++carried;
  report.tell(only_plans() ? Mark::planned : Mark::changed, what);
}

void Import::tell_there(std::string_view what) { report.tell(Mark::fine, what); }

void Import::tell_conflict(std::string_view what) {
  ++conflicts;
  report.tell(Mark::trouble, what);
}

void Import::tell_left(std::string_view place, std::string_view why) {
  inventory.leave(std::string(place), std::string(why));
}

Result<void> import_ending(Import& import) {
  for (const auto& [place, what] : import.inventory.left_behind)
    import.report.tell(Mark::by_hand,
                       what.starts_with(place) ? what : fmt::format("{}: {}", place, what));
  const auto left = import.inventory.left_behind.size();
  if (import.common.output == Output::json)
    print_json({{"carried", import.carried}, {"conflicts", import.conflicts}, {"left", left}});
  else
    fmt::print("\n{} {}, {} in conflict with what is here, {} for you to do.\n",
               import.carried,
               import.only_plans() ? "would be carried over" : "carried over",
               import.conflicts,
               left);
  return {};
}

void declare_import(const Command& tapal) {
  const auto import =
      tapal.add_group("import",
                      "carry over users, aliases, keys and more of another mail server",
                      "import chasquid");
  auto chasquid = std::make_shared<ImportFlags>();
  chasquid->options.folder = "/etc/chasquid";
  const auto from_chasquid =
      import.add("chasquid", "from a chasquid", "import chasquid /etc/chasquid --plan");
  from_chasquid.text({"folder", "its configuration folder; default /etc/chasquid"},
                     chasquid->options.folder);
  declare_source(from_chasquid, std::move(chasquid), &read_chasquid);

  auto postfix = std::make_shared<ImportFlags>();
  postfix->options.folder = "/etc/postfix";
  const auto from_postfix =
      import.add("postfix", "from a Postfix", "import postfix --passwd-file /etc/dovecot/users");
  from_postfix.text({"folder", "its configuration folder; default /etc/postfix"},
                    postfix->options.folder);
  declare_source(from_postfix, std::move(postfix), &read_postfix);
}

}  // namespace tapal::app
