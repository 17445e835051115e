#include "drivers/files/certificate_folder.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>

#include "drivers/files/descriptor.h"
#include "drivers/files/files.h"
#include "drivers/files/hand_over.h"

namespace tapal::files {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t file_bytes_max = 256UL * 1024;
constexpr std::size_t folders_max = 100'000;
constexpr const char* chain_file = "fullchain.pem";
constexpr const char* key_file = "privkey.pem";
constexpr const char* next_key_file = "next.pem";
constexpr const char* note_file = ".order.json";  // hidden: a change of it is no reason to reload
constexpr const char* account_key_file = "account.pem";
constexpr const char* account_note_file = "account.json";

Result<void> make_folder(const fs::path& path) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) return {};
  TAPAL_CHECK(create_folder(path, 0700));
  return hand_over(path);
}

Result<void> write_and_hand_over(const fs::path& path, std::string_view bytes) {
  TAPAL_CHECK(write_atomically(path, bytes, 0600));
  return hand_over(path);
}

Result<void> exchange(const fs::path& fresh, const fs::path& place) {
  std::error_code ignored;
  if (!fs::exists(fs::symlink_status(place, ignored))) {
    if (rename(fresh.c_str(), place.c_str()) != 0)
      return std::unexpected(system_error("make", place, errno));
  } else if (renameat2(AT_FDCWD, fresh.c_str(), AT_FDCWD, place.c_str(), RENAME_EXCHANGE) != 0) {
    return std::unexpected(system_error("replace in one step", place, errno));
  }
  return sync_folder(place.parent_path());
}

// The note of a certificate that is not there yet.
std::string early_note(std::string_view name) { return fmt::format(".{}{}", name, note_file); }

// As a name comes from a certificate, a command or a setting: one segment, nothing hidden.
Result<void> check_segment(std::string_view name) {
  if (!name.empty() && !name.starts_with('.') && !name.contains('/') && !name.contains('\0'))
    return {};
  return fail(Code::invalid, fmt::format("\"{}\" cannot be the name of a folder", name));
}

}  // namespace

Result<std::vector<KeptCertificate>> CertificateFolder::list() {
  std::vector<KeptCertificate> kept;
  std::error_code error;
  for (fs::directory_iterator at(certificates_, error), end; !error && at != end;
       at.increment(error)) {
    const auto name = at->path().filename().string();
    if (kept.size() == folders_max) break;
    if (name.starts_with('.')) {
      if (auto early = early_of(name)) kept.push_back(*std::move(early));
      continue;
    }
    auto chain = read_file(at->path() / chain_file, file_bytes_max);
    if (!chain) continue;
    auto note = read_file(at->path() / note_file, file_bytes_max);
    kept.push_back({name, *std::move(chain), note ? *std::move(note) : std::string()});
  }
  if (error && error != std::errc::no_such_file_or_directory)
    return std::unexpected(system_error("read the folder", certificates_, error.value()));
  std::ranges::sort(kept, {}, &KeptCertificate::name);
  return kept;
}

// What `file` tells of a certificate that is not there yet.
std::optional<KeptCertificate> CertificateFolder::early_of(std::string_view file) const {
  const auto end = file.rfind(note_file);
  if (end == 0 || end == file.npos || file.substr(end) != note_file) return {};
  const std::string name(file.substr(1, end - 1));
  std::error_code ignored;
  if (fs::exists(certificates_ / name / chain_file, ignored)) return {};
  auto note = read_file(certificates_ / file, file_bytes_max);
  if (!note) return {};
  return KeptCertificate{name, {}, *std::move(note)};
}

Result<void> CertificateFolder::put(std::string_view name, const CertificateSet& set) {
  TAPAL_CHECK(check_segment(name));
  TAPAL_CHECK(make_folder(certificates_));
  const auto fresh = certificates_ / fmt::format(".{}.new", name);
  std::error_code error;
  fs::remove_all(fresh, error);  // of a run that was cut short
  TAPAL_CHECK(make_folder(fresh));
  TAPAL_CHECK(write_and_hand_over(fresh / chain_file, set.chain_pem));
  TAPAL_CHECK(write_and_hand_over(fresh / key_file, set.key_pem));
  TAPAL_CHECK(write_and_hand_over(fresh / next_key_file, set.next_key_pem));
  TAPAL_CHECK(write_and_hand_over(fresh / note_file, set.note));
  TAPAL_CHECK(exchange(fresh, certificates_ / name));
  fs::remove_all(fresh, error);  // what was in place before
  fs::remove(certificates_ / early_note(name), error);
  return {};
}

Result<void> CertificateFolder::put_note(std::string_view name, std::string_view note) {
  TAPAL_CHECK(check_segment(name));
  std::error_code ignored;
  if (fs::exists(certificates_ / name / chain_file, ignored))
    return write_and_hand_over(certificates_ / name / note_file, note);
  TAPAL_CHECK(make_folder(certificates_));
  return write_and_hand_over(certificates_ / early_note(name), note);
}

Result<std::string> CertificateFolder::key(std::string_view name) {
  TAPAL_CHECK(check_segment(name));
  return read_file(certificates_ / name / key_file, file_bytes_max);
}

Result<std::string> CertificateFolder::next_key(std::string_view name) {
  TAPAL_CHECK(check_segment(name));
  return read_file(certificates_ / name / next_key_file, file_bytes_max);
}

Result<AccountFiles> CertificateFolder::account(std::string_view name) {
  TAPAL_CHECK(check_segment(name));
  AccountFiles account;
  TAPAL_TRY(account.key_pem, read_file(accounts_ / name / account_key_file, file_bytes_max));
  if (auto note = read_file(accounts_ / name / account_note_file, file_bytes_max))
    account.note = *std::move(note);
  return account;
}

Result<void> CertificateFolder::put_account(std::string_view name, const AccountFiles& account) {
  TAPAL_CHECK(check_segment(name));
  TAPAL_CHECK(make_folder(accounts_));
  const auto folder = accounts_ / name;
  TAPAL_CHECK(make_folder(folder));
  TAPAL_CHECK(write_and_hand_over(folder / account_key_file, account.key_pem));
  return write_and_hand_over(folder / account_note_file, account.note);
}

Result<void> CertificateFolder::remove_account(std::string_view name) {
  TAPAL_CHECK(check_segment(name));
  std::error_code error;
  fs::remove_all(accounts_ / name, error);
  if (error) return std::unexpected(system_error("remove", accounts_ / name, error.value()));
  return {};
}

}  // namespace tapal::files
