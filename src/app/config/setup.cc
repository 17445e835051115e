#include "app/config/setup.h"

#include <utility>

#include <fmt/format.h>

#include "app/config/signing_keys.h"
#include "app/settings/folder_version.h"
#include "app/settings/settings.h"
#include "drivers/files/config_folder.h"
#include "drivers/files/files.h"
#include "drivers/system/clock.h"
#include "rules/forward/srs.h"
#include "values/crypto/certificate.h"
#include "values/crypto/hash.h"
#include "values/crypto/key.h"
#include "values/text/hex.h"

namespace tapal::app {
namespace {

constexpr int dkim_bits = 2048;  // RFC 8301 section 3.2
constexpr std::chrono::days certificate_life{3650};

void tell(SetupDone& done, std::string_view what, const std::filesystem::path& file) {
  done.done.push_back(fmt::format("{:<7} {}", what, file.string()));
}

Result<void> write_settings(const SetupOptions& options, SetupDone& done) {
  const auto file = options.config / settings_file_name;
  if (std::filesystem::exists(file)) {
    tell(done, "kept", file);
    return {};
  }
  auto text = sample_settings(options.hostname);
  // Before the first table: a key after it would belong to that table.
  if (!options.state_folder.empty())
    text = fmt::format("state_folder = \"{}\"\n{}", options.state_folder, text);
  TAPAL_CHECK(write_version(options.config, config_form.version));
  TAPAL_CHECK(files::write_atomically(file, text, 0600));
  tell(done, "made", file);
  return {};
}

Result<crypto::PrivateKey> first_signing_key(const SetupOptions& options,
                                             const std::string& selector,
                                             SetupDone& done) {
  TAPAL_TRY(auto key, crypto::PrivateKey::generate_rsa(dkim_bits));
  TAPAL_CHECK(write_signing_key(options.config, options.domain, selector, key));
  tell(done, "made", files::signing_key_file(options.config, options.domain, selector));
  return key;
}

Result<void> make_signing_key(const SetupOptions& options, SetupDone& done) {
  const auto folder = files::load_config_folder({options.config, {}});
  const auto keys = folder.signing_keys.find(options.domain);
  if (keys != folder.signing_keys.end() && !keys->second.empty()) {
    const auto& kept = keys->second.front();
    TAPAL_TRY(const auto key, crypto::PrivateKey::from_pem(kept.pem));
    TAPAL_TRY(done.dkim_record, dkim_zone_line(options.domain, kept.selector, key));
    tell(done, "kept", kept.file);
    return {};
  }
  const auto selector = selector_of_today(SystemClock().wall_now());
  TAPAL_TRY(const auto key, first_signing_key(options, selector, done));
  TAPAL_TRY(done.dkim_record, dkim_zone_line(options.domain, selector, key));
  return {};
}

Result<void> make_srs_keys(const SetupOptions& options, SetupDone& done) {
  const auto file = files::srs_keys_file(options.config);
  if (std::filesystem::exists(file)) {
    tell(done, "kept", file);
    return {};
  }
  constexpr std::size_t key_bytes = 32;
  TAPAL_CHECK(
      files::write_atomically(file, forward::make_srs_keys(crypto::random_bytes(key_bytes)), 0600));
  tell(done, "made", file);
  return {};
}

Result<void> make_certificate(const SetupOptions& options, SetupDone& done) {
  const auto folder = options.config / "certs" / options.hostname;
  if (std::filesystem::exists(folder / "privkey.pem")) {
    tell(done, "kept", folder);
    return {};
  }
  TAPAL_CHECK(files::create_folder(folder, 0700));
  TAPAL_TRY(const auto key, crypto::PrivateKey::generate_ec_p256());
  const auto now = SystemClock().wall_now();
  TAPAL_TRY(const auto pem,
            crypto::make_self_signed(
                {options.hostname}, key, {now - std::chrono::hours(1), now + certificate_life}));
  TAPAL_CHECK(files::write_atomically(folder / "fullchain.pem", pem, 0600));
  TAPAL_CHECK(files::write_atomically(folder / "privkey.pem", key.to_pem(), 0600));
  tell(done, "made", folder);
  return {};
}

Result<void> make_webhook_key(const SetupOptions& options, SetupDone& done) {
  constexpr std::size_t key_bytes = 32;
  const auto file = options.config / webhook_key_file_name;
  if (std::filesystem::exists(file)) {
    tell(done, "kept", file);
    return {};
  }
  const auto key = text::to_hex(crypto::random_bytes(key_bytes)) + "\n";
  TAPAL_CHECK(files::write_atomically(file, key, 0600));
  tell(done, "made", file);
  return {};
}

}  // namespace

Result<SetupDone> set_up(const SetupOptions& options) {
  SetupDone done;
  TAPAL_CHECK(files::create_folder(options.config, 0700));
  TAPAL_CHECK(files::create_folder(options.config / "domains" / options.domain, 0700));
  TAPAL_CHECK(write_settings(options, done));
  TAPAL_CHECK(make_signing_key(options, done));
  TAPAL_CHECK(make_srs_keys(options, done));
  if (options.certificate == SetupOptions::Certificate::self_signed) {
    TAPAL_CHECK(make_certificate(options, done));
  }
  TAPAL_CHECK(make_webhook_key(options, done));
  return done;
}

}  // namespace tapal::app
