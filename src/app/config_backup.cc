#include "app/config_backup.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>

#include "app/once.h"
#include "app/settings.h"
#include "drivers/files/config_folder.h"
#include "drivers/files/descriptor.h"
#include "drivers/files/files.h"
#include "drivers/system/program_runner.h"
#include "drivers/system/worker_pool.h"
#include "services/upkeep/secret_archive.h"
#include "values/crypto/hash.h"
#include "values/crypto/sealed.h"
#include "values/text/hex.h"

namespace tapal::app {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view sealed_name = "keys.sealed";
constexpr std::string_view sealer_name = "backup.seal";
constexpr std::string_view rules_name = ".gitignore";
constexpr std::size_t secret_bytes_max = 32UL * 1024 * 1024;
constexpr std::chrono::seconds lock_patience{30};
constexpr std::chrono::milliseconds lock_look_every{100};
constexpr std::chrono::minutes lock_is_stale{10};

constexpr std::string_view open_files =
    "*\n!*/\n!/.gitignore\n!/tapal.toml\n!/domains/*/domain.toml\n!/domains/*/aliases\n"
    "!/domains/*/dkim/state.toml\n!/certs/*/fullchain.pem\n";

std::string rules_text(SecretsInBackup secrets, const std::vector<std::string>& left_out) {
  auto text = fmt::format(
      "# Written by tapal: what the backup holds. `tapal backup init --keys` changes it.\n"
      "# secrets: {}\n",
      text_of(secrets));
  if (secrets == SecretsInBackup::plain) {
    text += "*.lock\n.*.new\n";
  } else {
    text += open_files;
    if (secrets == SecretsInBackup::encrypted) text += fmt::format("!/{}\n", sealed_name);
  }
  for (const auto& folder : left_out) text += fmt::format("/{}/\n", folder);
  return text + fmt::format("/{}\n", sealer_name);
}

bool is_below(std::string_view file, std::string_view folder) {
  return file.size() > folder.size() && file.starts_with(folder) && file[folder.size()] == '/';
}

// Made and gone again within moments.
bool is_passing(const fs::path& file) {
  const auto name = file.filename().string();
  return name.ends_with(".lock") || (name.starts_with('.') && name.ends_with(".new"));
}

// Where the server keeps what is no configuration, when that is inside the folder.
std::optional<std::vector<std::string>> state_folders(const fs::path& config) {
  const auto settings = load_settings(config);
  if (!settings) return {};
  std::vector<std::string> inside;
  for (const auto& folder : {fs::path(settings->state_folder), settings->mail_folder()}) {
    const auto from_here = folder.lexically_relative(config).generic_string();
    if (!from_here.empty() && from_here != "." && !from_here.starts_with(".."))
      inside.push_back(from_here);
  }
  return inside;
}

// Other files that aliases take in. None of a name that secrets have.
std::vector<std::string> included_files(const fs::path& config) {
  std::error_code none;
  const auto root = fs::canonical(config, none);
  std::vector<std::string> inside;
  for (const auto& file : files::load_config_folder({config, {}}).included_files) {
    const auto path = fs::path(file).lexically_relative(root);
    const auto name = path.filename().string();
    if (is_below(path.generic_string(), "domains") && name != "users" && !name.ends_with(".pem"))
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
      git_({loop, programs, config_.string(), git_environment()}),
      left_out_(state_folders(config_)) {}

bool ConfigBackup::is_there(const fs::path& config) {
  std::error_code none;
  return fs::is_directory(config / ".git", none);
}

// Not waited for in the kernel: this may be the server's loop.
Task<Result<std::unique_ptr<ConfigBackup::Lock>>> ConfigBackup::lock() {
  const auto path = config_ / ".git" / "tapal.lock";
  files::Descriptor file(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!file) co_return std::unexpected(files::system_error("create", path, errno));
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
    return file == sealer_name || is_passing(file) || std::ranges::any_of(left_out, is_state) ||
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

std::vector<std::string> git_environment() {
  std::vector<std::string> environment{"LC_ALL=C",
                                       "GIT_TERMINAL_PROMPT=0",
                                       "GIT_SSH_COMMAND=ssh -oBatchMode=yes -oConnectTimeout=15"};
  for (const auto* name : {"PATH", "HOME", "USER", "XDG_CONFIG_HOME", "SSH_AUTH_SOCK"}) {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody sets variables
    const auto* value = std::getenv(name);
    if (value != nullptr) environment.push_back(fmt::format("{}={}", name, value));
  }
  return environment;
}

namespace {

Task<Result<void>> commit_and_push(Loop& loop,
                                   Programs& programs,
                                   std::filesystem::path config,
                                   std::string message) {
  ConfigBackup backup(loop, programs, config);
  auto committed = co_await backup.commit(std::move(message));
  if (!committed) co_return std::unexpected(std::move(committed.error()));
  if (!*committed) co_return Result<void>();
  auto pushed = co_await backup.push();
  if (!pushed)
    co_return fail(Code::try_later,
                   fmt::format("committed, but not pushed; a running server tries again daily, and "
                               "`tapal backup now` at once: {}",
                               pushed.error().what));
  co_return Result<void>();
}

void commit_now(const CommonOptions& common, const std::string& message) {
  WorkerPool workers({.threads = 1, .waiting_max = 8, .name = "git"});
  ProgramRunner programs(workers);
  const auto done = run_once<Result<void>>(
      [&](NetLoop& loop) { return commit_and_push(loop, programs, common.config, message); });
  if (!done) fmt::print(stderr, "tapal: backup: {}\n", done.error().what);
}

}  // namespace

int run_and_commit(const CommonOptions& common, const std::string& name, const Command::Run& run) {
  if (ConfigBackup::is_there(common.config)) commit_now(common, "edited by hand");
  const int code = run(common);
  if (ConfigBackup::is_there(common.config)) commit_now(common, name);
  return code;
}

}  // namespace tapal::app
