// The journal of DNS changes as files of the state folder, one each.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "app/settings/settings.h"
#include "drivers/files/folder_lock.h"
#include "services/upkeep/dns_change.h"

namespace tapal::app {

class DnsJournal final : public upkeep::ChangeJournal {
 public:
  explicit DnsJournal(const Settings& settings);

  // Before anything is changed: keeps a second run away until this ends.
  Result<void> lock();
  Result<std::vector<provision::JournalEntry>> entries() override;
  Result<void> put(const provision::JournalEntry& entry) override;

 private:
  std::filesystem::path folder_;
  std::optional<files::FolderLock> lock_;
};

}  // namespace tapal::app
