#include "services/upkeep/backup_manifest.h"

#include <algorithm>

#include <fmt/format.h>

#include "services/upkeep/secret_archive.h"
#include "values/text/ascii.h"
#include "values/text/date.h"
#include "values/text/hex.h"

namespace tapal::upkeep {
namespace {

constexpr std::string_view end_word = "end ";

std::string hash_text(const crypto::Digest& digest) {
  return text::to_hex(crypto::bytes_of(digest));
}

std::unexpected<Error> damaged(std::string_view line) {
  return fail(
      Code::invalid,
      fmt::format("the manifest cannot be understood at \"{}\"", text::printable(line, 100)));
}

// What follows `word` in the next line, which is taken off.
Result<std::string_view> take_line(std::string_view& text, std::string_view word) {
  const auto line = text.substr(0, text.find('\n'));
  if (!line.starts_with(word) || line.size() == text.size()) return damaged(line);
  text.remove_prefix(line.size() + 1);
  return line.substr(word.size());
}

Result<int> take_number(std::string_view& text, std::string_view word) {
  TAPAL_TRY(const auto digits, take_line(text, word));
  const auto number = text::to_number<int>(digits);
  if (!number || *number < 0) return damaged(digits);
  return *number;
}

bool has_a_place(std::string_view name) {
  if (name == sealed_config_name || name == marks_name) return true;
  return (name.starts_with(config_prefix) || name.starts_with(spool_prefix) ||
          name.starts_with(dns_changes_prefix)) &&
         is_archive_path(name);
}

Result<BackupFile> file_of(std::string_view line) {
  BackupFile file;
  const auto first = line.find(' ');
  const auto second = line.find(' ', first + 1);
  if (first == line.npos || second == line.npos) return damaged(line);
  const auto hash = text::from_hex(line.substr(0, first));
  const auto bytes = text::to_number<std::uint64_t>(line.substr(first + 1, second - first - 1));
  file.name = line.substr(second + 1);
  if (!hash || hash->size() != file.hash.size() || !bytes || *bytes > INT64_MAX)
    return damaged(line);
  if (!has_a_place(file.name))
    return fail(Code::invalid,
                fmt::format("the backup holds a file that has no place here: {}",
                            text::printable(file.name, 200)));
  std::ranges::copy(*hash, file.hash.begin());
  file.bytes = *bytes;
  return file;
}

// Before anything else is looked at, for another form may look otherwise.
Result<std::string> take_maker(std::string_view& text) {
  constexpr std::string_view head = "tapal backup ";
  const auto line = text.substr(0, text.find('\n'));
  if (!line.starts_with(head)) return fail(Code::invalid, "this is no backup of tapal");
  const auto words = text::split(line.substr(head.size()), ' ');
  const auto form = text::to_number<int>(words[0]);
  if (words.size() != 3 || !form) return damaged(line);
  if (*form != backup_form)
    return fail(Code::invalid,
                fmt::format("the backup is of form {}, made by tapal {}; this tapal knows form {}: "
                            "use that version or a newer one",
                            *form,
                            text::printable(words[2], 50),
                            backup_form));
  text.remove_prefix(std::min(line.size() + 1, text.size()));
  return std::string(words[2]);
}

Result<void> check_end(std::string_view text) {
  const auto at = text.rfind(fmt::format("\n{}", end_word));
  if (at == text.npos) return fail(Code::invalid, "the manifest is cut off");
  const auto body = text.substr(0, at + 1);
  if (text.substr(at + 1) != fmt::format("{}{}\n", end_word, hash_text(crypto::sha256(body))))
    return fail(Code::invalid, "the manifest was changed or is cut off");
  return {};
}

}  // namespace

std::string_view text_of(BackupPurpose purpose) {
  return purpose == BackupPurpose::move ? "move" : "copy";
}

std::string to_text(const BackupManifest& manifest) {
  auto text =
      fmt::format("tapal backup {} by {}\nmade {}\npurpose {}\nconfiguration {}\nspool {}\n",
                  backup_form,
                  manifest.made_by,
                  text::rfc3339_date(manifest.made),
                  text_of(manifest.purpose),
                  manifest.config_version,
                  manifest.spool_version ? std::to_string(*manifest.spool_version) : "none");
  for (const auto& [name, bytes, hash] : manifest.files)
    text += fmt::format("{} {} {}\n", hash_text(hash), bytes, name);
  return text + fmt::format("{}{}\n", end_word, hash_text(crypto::sha256(text)));
}

Result<BackupManifest> manifest_from_text(std::string_view text) {
  BackupManifest manifest;
  auto rest = text;
  TAPAL_TRY(manifest.made_by, take_maker(rest));
  TAPAL_CHECK(check_end(text));
  TAPAL_TRY(const auto made, take_line(rest, "made "));
  TAPAL_TRY(manifest.made, text::parse_rfc3339_date(made));
  TAPAL_TRY(const auto purpose, take_line(rest, "purpose "));
  if (purpose == text_of(BackupPurpose::move))
    manifest.purpose = BackupPurpose::move;
  else if (purpose != text_of(BackupPurpose::copy))
    return damaged(purpose);
  TAPAL_TRY(manifest.config_version, take_number(rest, "configuration "));
  if (rest.starts_with("spool none\n")) {
    TAPAL_CHECK(take_line(rest, "spool "));
  } else {
    TAPAL_TRY(manifest.spool_version, take_number(rest, "spool "));
  }
  while (!rest.starts_with(end_word)) {
    if (manifest.files.size() == backup_files_max)
      return fail(Code::invalid, fmt::format("more than {} files", backup_files_max));
    TAPAL_TRY(const auto line, take_line(rest, ""));
    TAPAL_TRY(auto file, file_of(line));
    manifest.files.push_back(std::move(file));
  }
  return manifest;
}

}  // namespace tapal::upkeep
