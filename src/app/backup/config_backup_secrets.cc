// What the backup does with secret files: kept out, sealed, brought back.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "app/backup/config_backup.h"
#include "app/backup/config_files.h"
#include "drivers/files/files.h"
#include "services/upkeep/secret_archive.h"
#include "values/crypto/hash.h"
#include "values/crypto/sealed.h"
#include "values/text/hex.h"

namespace tapal::app {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t secret_bytes_max = 32UL * 1024 * 1024;

bool is_below(std::string_view file, std::string_view folder) {
  return file.size() > folder.size() && file.starts_with(folder) && file[folder.size()] == '/';
}

}  // namespace

// Some keep chain and key in one file.
Result<void> ConfigBackup::check_for_keys(const std::vector<std::string>& files) const {
  for (const auto& file : files) {
    const auto text = files::read_file(config_ / file);
    if (text && text->contains("PRIVATE KEY-----"))
      return fail(
          Code::denied,
          fmt::format("{} holds a private key, and those stay out of the backup: nothing was "
                      "committed",
                      (config_ / file).string()));
  }
  return {};
}

Task<Result<std::vector<std::string>>> ConfigBackup::secret_files() {
  auto files = co_await git_.kept_out();
  if (!files) co_return std::unexpected(std::move(files.error()));
  const auto left_out = left_out_.value_or(std::vector<std::string>());
  std::erase_if(*files, [&](const std::string& file) {
    std::error_code none;
    const auto is_state = [&](const auto& folder) { return is_below(file, folder); };
    return file == sealer_name || !is_configuration(file) ||
           std::ranges::any_of(left_out, is_state) ||
           !fs::is_regular_file(fs::symlink_status(config_ / file, none));
  });
  co_return files;
}

// Only when a secret changed, for each sealing differs from the one before.
Task<Result<void>> ConfigBackup::seal() {
  if (!left_out_) co_return Result<void>();
  TAPAL_CO_TRY(const auto sealer_text, files::read_file(config_ / sealer_name));
  TAPAL_CO_TRY(const auto sealer, crypto::Sealer::from_text(sealer_text));
  auto names = co_await secret_files();
  if (!names) co_return std::unexpected(std::move(names.error()));
  std::vector<upkeep::ArchivedFile> secrets;
  std::size_t bytes = 0;
  for (const auto& name : *names) {
    TAPAL_CO_TRY(auto text, files::read_file(config_ / name));
    bytes += text.size();
    if (bytes > secret_bytes_max)
      co_return fail(Code::full,
                     fmt::format("{} and the secret files before it are more than {} bytes: "
                                 "something large does not belong into {}",
                                 name,
                                 secret_bytes_max,
                                 config_.string()));
    secrets.push_back({name, std::move(text)});
  }
  auto archive = upkeep::pack(std::move(secrets));
  const auto digest = crypto::hmac_sha256(sealer_text, archive);
  const auto mark = text::to_hex(crypto::bytes_of(digest));
  const auto mark_file = config_ / ".git" / "tapal-sealed";
  std::error_code none;
  if (files::read_file(mark_file).value_or("") == mark && fs::exists(config_ / sealed_name, none))
    co_return Result<void>();
  TAPAL_CO_TRY(const auto sealed, crypto::seal(sealer, archive));
  crypto::wipe(archive);
  TAPAL_CO_CHECK(files::write_atomically(config_ / sealed_name, sealed, 0600));
  co_return files::write_atomically(mark_file, mark, 0600);
}

Result<std::vector<RestoredFile>> ConfigBackup::restore(const std::string& passphrase,
                                                        Restore which) const {
  TAPAL_TRY(const auto sealed,
            files::read_file(config_ / sealed_name, crypto::sealed_bytes_max + 1024));
  TAPAL_TRY(auto opened, crypto::open_sealed(passphrase, sealed));
  TAPAL_TRY(const auto secrets, upkeep::unpack(opened.bytes));
  crypto::wipe(opened.bytes);
  std::vector<RestoredFile> restored;
  std::error_code error;
  const auto root = fs::canonical(config_, error);
  for (const auto& [path, bytes] : secrets) {
    using Done = RestoredFile::Done;
    const auto file = config_ / path;
    const auto there = files::read_file(file);
    const bool differs = there && *there != bytes;
    restored.push_back({path, Done::written});
    if (there && !differs) restored.back().done = Done::same;
    if (differs && which == Restore::missing) restored.back().done = Done::kept;
    if (restored.back().done != Done::written) continue;
    TAPAL_CHECK(files::create_folder(file.parent_path(), 0700));
    const auto folder = fs::canonical(file.parent_path(), error);
    if (std::ranges::mismatch(root, folder).in1 != root.end())
      return fail(Code::denied, fmt::format("{} leads out of the configuration folder", path));
    TAPAL_CHECK(files::write_atomically(file, bytes, 0600));
  }
  TAPAL_CHECK(files::write_atomically(config_ / sealer_name, opened.sealer.text(), 0600));
  return restored;
}

}  // namespace tapal::app
