// Brings what an older tapal kept into this one's form, in its place. What it was before is kept
// beside it. Interrupted, it is done again; what is of a newer form is refused.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "ports/log.h"

namespace tapal::app {

struct Upgrade {
  std::string_view what;
  int from = 0;
  int to = 0;
  std::filesystem::path kept;  // as it was before
};

// Before its settings are read. The copy is a backup that `tapal restore` takes. Nothing: it is of
// this form, or cannot be written to, or there is none.
Result<std::optional<Upgrade>> upgrade_config(const std::filesystem::path& config);

// Before the store is opened. The copy is a spool's folder of its own, whose files have second
// names where they change no more: it takes the room of what is delivered later. A spool that is
// new gets its version.
enum class Before : std::uint8_t { is_kept, is_elsewhere };
Result<std::optional<Upgrade>> upgrade_spool(const std::filesystem::path& spool, Before before);

void tell(Log& log, const Upgrade& upgrade);

}  // namespace tapal::app
