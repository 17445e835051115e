#include "app/dns/journal.h"

#include <algorithm>
#include <system_error>

#include <fmt/format.h>

#include "drivers/files/files.h"
#include "services/upkeep/backup_manifest.h"

namespace tapal::app {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t entries_max = 10'000;

}  // namespace

DnsJournal::DnsJournal(const Settings& settings)
    : folder_(fs::path(settings.state_folder) / upkeep::dns_changes_name) {}

Result<void> DnsJournal::lock() {
  TAPAL_TRY(lock_, files::FolderLock::take(folder_, "changes DNS"));
  return {};
}

Result<std::vector<provision::JournalEntry>> DnsJournal::entries() {
  std::vector<fs::path> paths;
  std::error_code error;
  for (const auto& item : fs::directory_iterator(folder_, error))
    if (item.path().extension() == ".txt") paths.push_back(item.path());
  if (error && error != std::errc::no_such_file_or_directory)
    return std::unexpected(files::system_error("read", folder_, error.value()));
  if (paths.size() > entries_max)
    return fail(
        Code::full,
        fmt::format(
            "{} has more than {} entries: move old ones away", folder_.string(), entries_max));
  std::ranges::sort(paths);
  std::vector<provision::JournalEntry> entries;
  for (const auto& path : paths) {
    TAPAL_TRY(const auto text, files::read_file(path, provision::journal_entry_bytes_max));
    auto entry = provision::parse_journal_entry(text);
    if (!entry)
      return fail(
          Code::invalid,
          fmt::format(
              "{}: {}; move it away to go on without it", path.string(), entry.error().what));
    entries.push_back(*std::move(entry));
  }
  return entries;
}

Result<void> DnsJournal::put(const provision::JournalEntry& entry) {
  TAPAL_CHECK(files::create_folder(folder_, 0700));
  return files::write_atomically(folder_ / (entry.id + ".txt"), provision::to_text(entry), 0600);
}

}  // namespace tapal::app
