// What an import brings as files: certificates, domains, DKIM keys.
#include "drivers/files/files.h"

#include <fmt/format.h>

#include "app/config/setup.h"
#include "app/config/signing_keys.h"
#include "app/import/import.h"
#include "app/settings/settings.h"
#include "drivers/files/certificate_folder.h"
#include "drivers/files/config_folder.h"
#include "drivers/system/clock.h"
#include "rules/account/domain_settings.h"
#include "values/crypto/certificate.h"
#include "values/text/date.h"
#include "values/text/idna.h"
#include "values/text/toml.h"

namespace tapal::app {
namespace {

namespace fs = std::filesystem;

fs::path certificates_folder(const Import& import) {
  const auto settings = load_settings(import.common.config);
  return settings ? settings->certificates_folder(import.common.config)
                  : import.common.config / "certs";
}

Result<void> import_certificate(Import& import, const migrate::OldCertificate& old) {
  if (const auto named = text::check_hostname(old.name); !named) {
    import.tell_left(old.place, named.error().what);
    return {};
  }
  const auto folder = certificates_folder(import);
  const auto what = fmt::format("certificate {}", old.name);
  if (const auto kept = files::read_file(folder / old.name / "fullchain.pem"); kept) {
    if (*kept == old.chain_pem)
      import.tell_there(what);
    else
      import.tell_conflict(fmt::format(
          "{}: {} has another one than {}", what, (folder / old.name).string(), old.place));
    return {};
  }
  TAPAL_TRY(const auto facts, crypto::read_certificate(old.chain_pem));
  const auto end = text::rfc3339_date(facts.validity.not_after);
  if (facts.validity.not_after <= SystemClock().wall_now()) {
    import.tell_left(old.place, fmt::format("the certificate held until {}", end));
    return {};
  }
  if (!import.only_plans()) {
    const CertificateSet set{.chain_pem = old.chain_pem, .key_pem = old.key_pem};
    files::CertificateFolder certificates(folder, import.common.config / "acme");
    TAPAL_CHECK(certificates.put(old.name, set));
  }
  import.tell_carried(fmt::format("{}, a copy that holds until {}", what, end));
  return {};
}

// True when the key can sign here and is not there yet.
bool is_wanted(Import& import, const std::string& domain, const migrate::OldKey& old) {
  const auto key = crypto::PrivateKey::from_pem(old.pem);
  if (!key || key->kind() == crypto::KeyKind::ec_p256) {
    import.tell_left(
        old.place, key ? "DKIM signs with RSA or Ed25519 keys, this one is EC" : key.error().what);
    return false;
  }
  if (!text::check_hostname(old.selector + ".example")) {
    import.tell_left(old.place, "the selector is none: letters, digits, hyphens and dots");
    return false;
  }
  const auto file = files::signing_key_file(import.common.config, domain, old.selector);
  const auto text = files::read_file(file);
  if (!text) return true;
  const auto kept = crypto::PrivateKey::from_pem(*text);
  if (kept && kept->public_key_der() == key->public_key_der())
    import.tell_there(fmt::format("DKIM key {} of {}", old.selector, domain));
  else
    import.tell_conflict(fmt::format("{} has another key than {}", file.string(), old.place));
  return false;
}

Result<void> import_key(Import& import, const std::string& domain, const migrate::OldKey& old) {
  if (!is_wanted(import, domain, old)) return {};
  if (!import.only_plans()) {
    TAPAL_TRY(const auto key, crypto::PrivateKey::from_pem(old.pem));
    TAPAL_CHECK(write_signing_key(import.common.config, domain, old.selector, key));
  }
  import.tell_carried(fmt::format("DKIM key {} of {}", old.selector, domain));
  return {};
}

// domain.toml, where it says anything that is not usual.
Result<void> import_domain_settings(Import& import, const migrate::OldDomain& old) {
  const account::DomainSettings usual;
  if (old.settings == usual) return {};
  const auto file = files::domain_settings_file(import.common.config, old.name);
  const auto text = fmt::format("ignore_dots = {}\nsuffix_separators = {}\n",
                                old.settings.ignore_dots,
                                text::toml_quoted(old.settings.suffix_separators));
  const auto what =
      fmt::format("what names are the same at {} (ignore_dots = {}, suffix_separators = {})",
                  old.name,
                  old.settings.ignore_dots,
                  text::toml_quoted(old.settings.suffix_separators));
  if (const auto kept = files::read_file(file); kept) {
    const auto now = account::read_domain_settings(*kept, file.string()).settings;
    if (now.ignore_dots == old.settings.ignore_dots &&
        now.suffix_separators == old.settings.suffix_separators)
      import.tell_there(what);
    else
      import.tell_conflict(fmt::format("{}: {} says otherwise", what, file.string()));
    return {};
  }
  if (!import.only_plans()) {
    TAPAL_CHECK(files::write_atomically(file, text, 0600));
  }
  import.tell_carried(what);
  return {};
}

Result<void> import_domain(Import& import, const migrate::OldDomain& old) {
  const auto folder = import.common.config / "domains" / old.name;
  const auto what = fmt::format("domain {}", old.name);
  std::error_code ignored;
  if (fs::is_directory(folder, ignored)) {
    import.tell_there(what);
  } else {
    if (!import.only_plans()) {
      TAPAL_CHECK(files::create_folder(folder, 0700));
    }
    import.tell_carried(what);
  }
  for (const auto& key : old.keys) {
    TAPAL_CHECK(import_key(import, old.name, key));
  }
  TAPAL_CHECK(import_domain_settings(import, old));
  if (import.only_plans()) {
    const auto here = files::load_signing_keys(import.common.config, old.name);
    if (old.keys.empty() && (!here || here->empty()))
      import.report.tell(Mark::planned, fmt::format("a new DKIM key of {}", old.name));
    return {};
  }
  SetupOptions setup{.config = import.common.config,
                     .domain = old.name,
                     .hostname = import.inventory.hostname,
                     .state_folder = import.options.state_folder};
  TAPAL_TRY(const auto made, set_up(setup));
  for (const auto& line : made.done)
    if (line.starts_with("made"))
      import.report.tell(Mark::changed, line.substr(line.find_first_not_of(' ', line.find(' '))));
  return {};
}

}  // namespace

Result<void> import_certificates(Import& import) {
  for (const auto& old : import.inventory.certificates) {
    TAPAL_CHECK(import_certificate(import, old));
  }
  return {};
}

Result<void> import_domains(Import& import) {
  for (const auto& [name, old] : import.inventory.domains) {
    TAPAL_CHECK(import_domain(import, old));
  }
  return {};
}

}  // namespace tapal::app
