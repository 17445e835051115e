#include "app/config/key_files.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include "app/config/signing_keys.h"
#include "drivers/files/config_folder.h"
#include "drivers/files/descriptor.h"
#include "drivers/files/files.h"
#include "drivers/files/ownership.h"
#include "rules/provision/key_state_file.h"

namespace tapal::app {
namespace {

namespace fs = std::filesystem;

constexpr mode_t file_mode = 0600;

struct FileLock final : upkeep::KeyShelf::Lock {
  explicit FileLock(files::Descriptor opened) : file(std::move(opened)) {}
  files::Descriptor file;  // closing it lets go
};

}  // namespace

std::vector<std::string> KeyFiles::domains() {
  std::vector<std::string> domains;
  std::error_code error;
  for (fs::directory_iterator at(config_ / "domains", error), end; !error && at != end;
       at.increment(error))
    if (std::error_code none; fs::is_directory(at->path() / "dkim", none))
      domains.push_back(at->path().filename().string());
  std::ranges::sort(domains);
  return domains;
}

Result<std::unique_ptr<upkeep::KeyShelf::Lock>> KeyFiles::lock(const std::string& domain) {
  const fs::path path = files::key_states_file(config_, domain).string() + ".lock";
  TAPAL_CHECK(files::create_folder(path.parent_path(), 0700));
  TAPAL_TRY(auto file, files::open_lock(path));
  if (flock(file.number(), LOCK_EX | LOCK_NB) != 0)
    return fail(Code::try_later,
                fmt::format("another tapal is turning the keys of {}; try again", domain));
  return std::make_unique<FileLock>(std::move(file));
}

Result<upkeep::KeyShelf::Keys> KeyFiles::read(const std::string& domain) {
  TAPAL_TRY(const auto found, files::load_signing_keys(config_, domain));
  Keys keys;
  for (const auto& key : found) {
    TAPAL_TRY(auto parsed, crypto::PrivateKey::from_pem(key.pem));
    keys.keys.push_back({key.state, std::make_shared<const crypto::PrivateKey>(std::move(parsed))});
  }
  std::error_code none;
  keys.has_states = fs::exists(files::key_states_file(config_, domain), none);
  return keys;
}

Result<void> KeyFiles::save(const std::string& domain,
                            const std::vector<provision::RotatingKey>& states) {
  return files::write_atomically(
      files::key_states_file(config_, domain), provision::key_states_text(states), file_mode);
}

// The day's name, and letters behind it for those that follow.
Result<std::string> KeyFiles::add(const std::string& domain, const crypto::PrivateKey& key) {
  TAPAL_TRY(const auto there, read(domain));
  if (there.keys.size() >= files::signing_keys_per_domain_max)
    return fail(Code::full,
                fmt::format("{} has {} DKIM keys, which is the most; wait until old ones are gone, "
                            "or remove some",
                            domain,
                            there.keys.size()));
  auto selector = selector_of_today(clock_.wall_now());
  const auto today = selector;
  for (char letter = 'b'; fs::exists(files::signing_key_file(config_, domain, selector)); ++letter)
    selector = today + letter;
  TAPAL_CHECK(write_signing_key(config_, domain, selector, key));
  return selector;
}

Result<void> KeyFiles::remove(const std::string& domain, const std::string& selector) {
  const auto file = files::signing_key_file(config_, domain, selector);
  if (unlink(file.c_str()) != 0 && errno != ENOENT)
    return std::unexpected(files::system_error("remove", file, errno));
  return {};
}

}  // namespace tapal::app
