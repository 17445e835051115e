// The configuration folder as a git repository: each change a commit, pushed where there is a
// remote. What is secret stays out of it, or goes in sealed, or in the clear, as the owner chose.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "drivers/system/program_runner.h"
#include "ports/loop.h"
#include "ports/programs.h"
#include "services/upkeep/git.h"

namespace tapal::app {

// What happens to keys, passwords' hashes and credentials. "Secret" is every file but those that
// are known not to be: a new kind of file is kept back until somebody thought about it.
enum class SecretsInBackup : std::uint8_t {
  out,
  encrypted,  // as keys.sealed, which a passphrase opens (values/crypto/sealed.h)
  plain,
};

struct BackupStatus {
  SecretsInBackup secrets = SecretsInBackup::out;
  std::string remote;  // empty: none
  upkeep::Git::Commit last;
  std::size_t not_pushed = 0;        // commits
  std::vector<std::string> changed;  // files, since the last commit
  std::vector<std::string> secret;   // files that are not in it in the clear
  std::string sealer_trouble;        // encrypted, and cannot be brought up to date
};

struct RestoredFile {
  std::string path;
  enum class Done : std::uint8_t { written, same, kept } done = Done::written;
};
inline constexpr std::string_view sealed_name = "keys.sealed";
inline constexpr std::string_view sealer_name = "backup.seal";  // stays out of the backup

enum class Restore : std::uint8_t { missing, all };  // all: over files that differ, too

class ConfigBackup {
 public:
  // `config` may be relative. The loop and programs outlive this.
  ConfigBackup(Loop& loop, Programs& programs, const std::filesystem::path& config);

  static bool is_there(const std::filesystem::path& config);
  bool is_there() const { return is_there(config_); }

  // Makes the repository and commits all there is. One that is there goes on; its secrets are
  // from now on treated as told. `passphrase` is of `encrypted` alone; empty: the sealer stays.
  Task<Result<void>> init(SecretsInBackup secrets, std::string passphrase);
  // Whether there was a change. Code::try_later: git or another tapal is at work in the folder.
  Task<Result<bool>> commit(std::string message);
  Task<Result<void>> set_remote(std::string url);
  Task<Result<void>> push();  // nothing where there is no remote, or all is there
  Task<Result<BackupStatus>> status();
  // Out of keys.sealed, into the folder.
  Result<std::vector<RestoredFile>> restore(const std::string& passphrase, Restore which) const;

 private:
  class Lock;
  Task<Result<std::unique_ptr<Lock>>> lock();
  Result<void> mend() const;
  Task<Result<bool>> commit_locked(std::string message);
  SecretsInBackup secrets() const;
  Result<void> write_rules(SecretsInBackup secrets) const;
  Task<Result<void>> seal();
  Task<Result<std::vector<std::string>>> secret_files();
  Result<void> check_for_keys(const std::vector<std::string>& files) const;

  Loop& loop_;
  std::filesystem::path config_;
  upkeep::Git git_;
  std::optional<std::vector<std::string>>
      left_out_;  // folders of state; nothing: settings are wrong
};

std::string_view text_of(SecretsInBackup secrets);  // "out"

// Git runs what a repository's configuration names: root runs it as the folder's owner.
ProgramRights git_rights(const std::filesystem::path& config);

// What the environment lets git and ssh see.
std::vector<std::string> git_environment(const std::filesystem::path& config);

}  // namespace tapal::app
