// `tapal import`: what another mail server had, compared with what is here and written where it is
// not. Nothing that is here is changed; a second run changes nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "app/cli/command.h"
#include "app/cli/phase_report.h"
#include "base/result.h"
#include "rules/migrate/inventory.h"

namespace tapal::app {

enum class ImportMode : std::uint8_t { plan, carry };      // plan: only tells
enum class ClearPasswords : std::uint8_t { leave, take };  // those that the other server kept so

struct ImportOptions {
  std::string folder;
  std::string hostname;      // empty: the old server's
  std::string passwd_file;   // empty: none
  std::string state_folder;  // of a new tapal.toml; empty: the default
  ImportMode mode = ImportMode::carry;
  ClearPasswords clear_passwords = ClearPasswords::leave;
};

// What the phases share. Parts of the inventory that turn out to be unfit leave it on the way.
struct Import {
  const CommonOptions& common;
  const ImportOptions& options;
  migrate::Inventory& inventory;
  PhaseReport& report;
  std::size_t carried = 0;
  std::size_t conflicts = 0;

  bool only_plans() const { return options.mode == ImportMode::plan; }
  // Each in one line, with the place it comes from where that helps.
  void tell_carried(std::string_view what);   // or what would be
  void tell_there(std::string_view what);     // already
  void tell_conflict(std::string_view what);  // here is something else, and stays
  void tell_left(std::string_view place, std::string_view why);
};

// The phases, in this order.
Result<void> import_certificates(Import& import);
Result<void> import_domains(Import& import);  // with their keys, and tapal.toml
Result<void> import_settings(Import& import);
Result<void> import_users(Import& import);
Result<void> import_aliases(Import& import);
Result<void> import_ending(Import& import);  // what stays behind

}  // namespace tapal::app
