#include "app/backup/config_backup.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include <fmt/format.h>
#include <sys/file.h>

#include "app/backup/config_files.h"
#include "drivers/files/config_folder.h"
#include "drivers/files/descriptor.h"
#include "drivers/files/files.h"
#include "drivers/files/ownership.h"
#include "values/crypto/hash.h"
#include "values/crypto/sealed.h"

namespace tapal::app {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view rules_name = ".gitignore";
constexpr std::chrono::seconds lock_patience{30};
constexpr std::chrono::milliseconds lock_look_every{100};
constexpr std::chrono::minutes lock_is_stale{10};

constexpr std::string_view open_files =
    "*\n!*/\n!/.gitignore\n!/tapal.toml\n!/version\n!/domains/*/domain.toml\n!/domains/*/aliases\n"
    "!/domains/*/dkim/state.toml\n!/certs/*/fullchain.pem\n";

std::string rules_text(SecretsInBackup secrets, const std::vector<std::string>& left_out) {
  auto text = fmt::format(
      "# Written by tapal: what the backup holds. `tapal backup init --keys` changes it.\n"
      "# secrets: {}\n",
      text_of(secrets));
  if (secrets == SecretsInBackup::plain) {
    text += fmt::format("*.lock\n.*.new\n/{}*\n/{}*\n", kept_copy_prefix, replaced_prefix);
  } else {
    text += open_files;
    if (secrets == SecretsInBackup::encrypted) text += fmt::format("!/{}\n", sealed_name);
  }
  for (const auto& folder : left_out) text += fmt::format("/{}/\n", folder);
  return text + fmt::format("/{}\n", sealer_name);
}

// Other files that aliases take in. None of a name that secrets have.
std::vector<std::string> included_files(const fs::path& config) {
  std::error_code none;
  const auto root = fs::canonical(config, none);
  std::vector<std::string> inside;
  for (const auto& file : files::load_config_folder({config, {}}).included_files) {
    const auto path = fs::path(file).lexically_relative(root);
    const auto name = path.filename().string();
    if (path.generic_string().starts_with("domains/") && name != "users" && !name.ends_with(".pem"))
      inside.push_back(path.generic_string());
  }
  std::ranges::sort(inside);
  return inside;
}

}  // namespace

std::string_view text_of(SecretsInBackup secrets) {
  switch (secrets) {
    case SecretsInBackup::out: return "out";
    case SecretsInBackup::encrypted: return "encrypted";
    case SecretsInBackup::plain: return "plain";
  }
  return {};
}

class ConfigBackup::Lock {
 public:
  explicit Lock(files::Descriptor file) : file_(std::move(file)) {}

 private:
  files::Descriptor file_;
};

ConfigBackup::ConfigBackup(Loop& loop, Programs& programs, const fs::path& config)
    : loop_(loop),
      config_(fs::absolute(config).lexically_normal()),
      git_({loop, programs, config_.string(), git_environment(config_)}),
      left_out_(state_folders(config_)) {}

bool ConfigBackup::is_there(const fs::path& config) {
  std::error_code none;
  return fs::is_directory(config / ".git", none);
}

// Not waited for in the kernel: this may be the server's loop.
Task<Result<std::unique_ptr<ConfigBackup::Lock>>> ConfigBackup::lock() {
  const auto path = config_ / ".git" / "tapal.lock";
  TAPAL_CO_TRY(auto file, files::open_lock(path));
  const auto until = loop_.now() + lock_patience;
  const auto timer = loop_.make_timer();
  while (flock(file.number(), LOCK_EX | LOCK_NB) != 0) {
    if (loop_.now() >= until)
      co_return fail(Code::try_later,
                     "another tapal is committing; the change will be in the next commit");
    co_await timer->wait_until(loop_.now() + lock_look_every);
  }
  TAPAL_CO_CHECK(mend());
  co_return std::make_unique<Lock>(std::move(file));
}

// What a git that was killed, or lost its power, left behind keeps every later one from working.
Result<void> ConfigBackup::mend() const {
  for (const auto* name : {"index.lock",
                           "HEAD.lock",
                           "config.lock",
                           "packed-refs.lock",
                           "refs/heads/main.lock",
                           "refs/remotes/origin/main.lock"}) {
    const auto file = config_ / ".git" / name;
    std::error_code error;
    const auto changed = fs::last_write_time(file, error);
    if (error) continue;
    if (fs::file_time_type::clock::now() - changed < lock_is_stale)
      return fail(Code::try_later,
                  fmt::format("git is at work in {}, or was killed there and left {}: that is "
                              "removed when it is {} minutes old",
                              config_.string(),
                              file.string(),
                              lock_is_stale.count()));
    fs::remove(file, error);
  }
  return {};
}

SecretsInBackup ConfigBackup::secrets() const {
  const auto rules = files::read_file(config_ / rules_name);
  if (rules && rules->contains("\n# secrets: plain\n")) return SecretsInBackup::plain;
  if (rules && rules->contains("\n# secrets: encrypted\n")) return SecretsInBackup::encrypted;
  return SecretsInBackup::out;
}

// Whoever cannot tell the state from the configuration leaves the rules as they are.
Result<void> ConfigBackup::write_rules(SecretsInBackup secrets) const {
  const auto file = config_ / rules_name;
  const auto before = files::read_file(file);
  if (!left_out_ && before) return {};
  const auto text = rules_text(secrets, left_out_.value_or(std::vector<std::string>()));
  if (before && *before == text) return {};
  return files::write_atomically(file, text, 0600);
}

Task<Result<void>> ConfigBackup::init(SecretsInBackup secrets, std::string passphrase) {
  const auto sealer_file = config_ / sealer_name;
  std::error_code error;
  if (secrets == SecretsInBackup::encrypted) {
    if (passphrase.empty() && !fs::exists(sealer_file, error))
      co_return fail(Code::invalid, "a passphrase is missing; --passphrase-file FILE gives it");
    if (!passphrase.empty()) {
      TAPAL_CO_TRY(const auto sealer, crypto::make_sealer(passphrase));
      crypto::wipe(passphrase);
      TAPAL_CO_CHECK(files::write_atomically(sealer_file, sealer.text(), 0600));
    }
  } else {
    fs::remove(config_ / sealed_name, error);
    fs::remove(sealer_file, error);
  }
  if (!is_there(config_)) {
    auto made = co_await git_.init();
    if (!made) co_return std::unexpected(std::move(made.error()));
    fs::permissions(config_ / ".git", fs::perms::owner_all, error);
  }
  auto lock = co_await this->lock();
  if (!lock) co_return std::unexpected(std::move(lock.error()));
  TAPAL_CO_CHECK(write_rules(secrets));
  auto forgotten = co_await git_.forget_all();
  if (!forgotten) co_return std::unexpected(std::move(forgotten.error()));
  auto done = co_await commit_locked("tapal backup init");
  if (!done) co_return std::unexpected(std::move(done.error()));
  co_return Result<void>();
}

Task<Result<bool>> ConfigBackup::commit(std::string message) {
  auto lock = co_await this->lock();
  if (!lock) co_return std::unexpected(std::move(lock.error()));
  co_return co_await commit_locked(std::move(message));
}

Task<Result<bool>> ConfigBackup::commit_locked(std::string message) {
  const auto mode = secrets();
  TAPAL_CO_CHECK(write_rules(mode));
  if (mode == SecretsInBackup::encrypted) {
    auto sealed = co_await seal();
    if (!sealed) co_return std::unexpected(std::move(sealed.error()));
  }
  if (mode != SecretsInBackup::plain) {
    auto changed = co_await git_.changed();
    if (!changed) co_return std::unexpected(std::move(changed.error()));
    TAPAL_CO_CHECK(check_for_keys(*changed));
  }
  auto more = mode == SecretsInBackup::plain ? std::vector<std::string>() : included_files(config_);
  TAPAL_CO_CHECK(check_for_keys(more));
  co_return co_await git_.commit(std::move(message), std::move(more));
}

Task<Result<void>> ConfigBackup::set_remote(std::string url) {
  if (auto why = upkeep::why_unfit_remote(url); !why.empty())
    co_return fail(Code::invalid, std::move(why));
  auto lock = co_await this->lock();
  if (!lock) co_return std::unexpected(std::move(lock.error()));
  co_return co_await git_.set_remote(std::move(url));
}

Task<Result<void>> ConfigBackup::push() {
  auto remote = co_await git_.remote();
  if (!remote) co_return std::unexpected(std::move(remote.error()));
  if (remote->empty()) co_return Result<void>();
  auto count = co_await git_.commits_not_pushed();
  if (count && *count == 0) co_return Result<void>();
  co_return co_await git_.push();
}

Task<Result<BackupStatus>> ConfigBackup::status() {
  BackupStatus status;
  status.secrets = secrets();
  auto remote = co_await git_.remote();
  if (!remote) co_return std::unexpected(std::move(remote.error()));
  status.remote = *std::move(remote);
  auto last = co_await git_.last();
  if (!last) co_return std::unexpected(std::move(last.error()));
  status.last = *std::move(last);
  auto changed = co_await git_.changed();
  if (!changed) co_return std::unexpected(std::move(changed.error()));
  status.changed = *std::move(changed);
  if (!status.last.hash.empty()) {
    auto count = co_await git_.commits_not_pushed();
    if (count) status.not_pushed = *count;
  }
  if (status.secrets == SecretsInBackup::plain) co_return status;
  auto secret = co_await secret_files();
  if (!secret) co_return std::unexpected(std::move(secret.error()));
  status.secret = *std::move(secret);
  std::error_code none;
  if (status.secrets == SecretsInBackup::encrypted && !fs::exists(config_ / sealer_name, none))
    status.sealer_trouble = fmt::format(
        "there is no {}: `tapal backup restore-keys` brings it back, or `tapal backup "
        "init --keys encrypted` makes a new one",
        (config_ / sealer_name).string());
  co_return status;
}

ProgramRights git_rights(const fs::path& config) {
  const auto owner = files::owner_to_follow(config);
  if (!owner) return {};
  return {SystemUser{owner->user, owner->group, {owner->group}}, {}};
}

// Without root's home: git would look there, and may not.
std::vector<std::string> git_environment(const fs::path& config) {
  std::vector<std::string> environment{"LC_ALL=C",
                                       "GIT_TERMINAL_PROMPT=0",
                                       "GIT_SSH_COMMAND=ssh -oBatchMode=yes -oConnectTimeout=15"};
  const bool is_other = files::owner_to_follow(config).has_value();
  for (const char* name : {"PATH", "HOME", "USER", "XDG_CONFIG_HOME", "SSH_AUTH_SOCK"}) {
    if (is_other && std::string_view(name) != "PATH") continue;
    // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody sets variables
    const auto* value = std::getenv(name);
    if (value != nullptr) environment.push_back(fmt::format("{}={}", name, value));
  }
  return environment;
}

}  // namespace tapal::app
