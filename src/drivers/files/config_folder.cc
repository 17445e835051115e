#include "drivers/files/config_folder.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>

#include "drivers/files/files.h"
#include "rules/account/users_file.h"
#include "rules/provision/key_state_file.h"
#include "values/crypto/certificate.h"
#include "values/crypto/hash.h"
#include "values/crypto/key.h"
#include "values/text/idna.h"

namespace tapal::files {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t pem_file_bytes_max = 256UL * 1024;

class Loader {
 public:
  explicit Loader(ConfigPlaces places) : places_(std::move(places)) {}

  ConfigFolder load() {
    if (!fs::is_directory(places_.folder, ignored_)) {
      problem(places_.folder, "there is no such folder");
      return std::move(result_);
    }
    for (const fs::path& folder : entries(places_.folder / "domains", domains_max))
      if (fs::is_directory(folder, ignored_)) load_domain(folder);
    load_srs_keys();
    build_aliases();
    const fs::path certificates =
        places_.certificates.empty() ? places_.folder / "certs" : places_.certificates;
    for (const fs::path& folder : entries(certificates, certificates_max))
      if (fs::is_directory(folder, ignored_)) load_certificate(folder);
    return std::move(result_);
  }

  ConfigFolder load_keys_of(const std::string& domain) {
    load_signing_keys(places_.folder / "domains" / domain / "dkim", domain);
    return std::move(result_);
  }

 private:
  void problem(const fs::path& file, std::string_view what) {
    result_.problems.push_back(fmt::format("{}: {}", file.string(), what));
  }

  // Sorted by name; hidden ones do not count. A folder that is not there is empty.
  std::vector<fs::path> entries(const fs::path& folder, std::size_t entries_max) {
    std::vector<fs::path> found;
    std::error_code error;
    for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
      if (at->path().filename().string().starts_with('.')) continue;
      if (found.size() == entries_max) {
        problem(folder, fmt::format("more than {} entries", entries_max));
        break;
      }
      found.push_back(at->path());
    }
    if (error && error != std::errc::no_such_file_or_directory)
      problem(folder, "cannot read the folder: " + error.message());
    std::ranges::sort(found);
    return found;
  }

  std::optional<std::string> read(const fs::path& file,
                                  std::size_t bytes_max = config_file_bytes_max) {
    if (places_.draft && places_.draft->file == file) return places_.draft->text;
    auto text = read_file(file, bytes_max);
    if (text) return *std::move(text);
    result_.problems.push_back(text.error().what);
    return {};
  }

  // Whether others can read what only we should.
  void note_if_open(const fs::path& file) {
    struct stat facts{};
    if (stat(file.c_str(), &facts) == 0 && (facts.st_mode & 0077) != 0)
      result_.notices.push_back(fmt::format(
          "{0}: other users of this machine can open it; chmod 600 {0}", file.string()));
  }

  void load_domain(const fs::path& folder) {
    const auto domain = text::domain_to_ascii(folder.filename().string());
    if (!domain)
      return problem(folder, "the folder's name is not a domain: " + domain.error().what);
    if (result_.directory.is_own_domain(*domain))
      return problem(folder, fmt::format("another folder is {} too", *domain));
    load_users(folder, *domain);
    load_signing_keys(folder / "dkim", *domain);
  }

  bool is_there(const fs::path& file) {
    return (places_.draft && places_.draft->file == file) || fs::exists(file, ignored_);
  }

  account::DomainSettings load_settings(const fs::path& file) {
    if (!is_there(file)) return {};
    const auto text = read(file);
    if (!text) return {};
    auto settings = account::read_domain_settings(*text, file.string());
    std::ranges::move(settings.problems, std::back_inserter(result_.problems));
    return std::move(settings.settings);
  }

  // A file that an aliases file includes. Links may lead about in the configuration folder, not
  // out of it.
  Result<std::string> read_included(const fs::path& file) {
    std::error_code error;
    const fs::path real = fs::canonical(file, error);
    if (error) return fail(Code::not_found, fmt::format("{}: {}", file.string(), error.message()));
    const fs::path root = fs::canonical(places_.folder, error);
    if (error || std::ranges::mismatch(root, real).in1 != root.end())
      return fail(Code::denied,
                  fmt::format("{} leads out of the configuration folder", file.string()));
    result_.included_files.push_back(real.string());
    return read_file(real, alias::include_bytes_max);
  }

  void load_users(const fs::path& folder, const std::string& domain) {
    alias::DomainInput input{domain, {}, true, {}, (folder / "aliases").string()};
    input.settings = load_settings(folder / "domain.toml");
    input.read_include = [this, folder](std::string_view name) {
      return read_included(folder / name);
    };
    std::vector<account::UserRecord> users;
    const fs::path users_path = folder / "users";
    if (fs::exists(users_path, ignored_)) {
      const std::size_t problems_before = result_.problems.size();
      if (const auto text = read(users_path)) {
        auto file = account::read_users(*text, domain, users_path.string());
        users = std::move(file.users);
        std::ranges::move(file.problems, std::back_inserter(result_.problems));
        note_if_open(users_path);
      }
      input.users_are_complete = result_.problems.size() == problems_before;
    }
    if (is_there(input.aliases_file)) input.aliases_text = read(input.aliases_file).value_or("");
    for (const auto& user : users) input.users.push_back(user.address.local);
    result_.directory.add_domain(domain, std::move(users), input.settings);
    domains_.push_back(std::move(input));
  }

  // What the keys beside it are for; nothing when no file says so, or a wrong one, which is told.
  std::optional<std::vector<provision::RotatingKey>> load_key_states(const fs::path& file) {
    if (!fs::exists(file, ignored_)) return {};
    const auto text = read(file);
    if (!text) return {};
    auto states = provision::read_key_states(*text, file.string());
    if (states) return *std::move(states);
    result_.problems.push_back(states.error().what);
    return {};
  }

  static provision::RotatingKey state_of(
      const std::optional<std::vector<provision::RotatingKey>>& states,
      const std::string& selector,
      const fs::path& file) {
    using provision::KeyStage;
    provision::RotatingKey state{.selector = selector,
                                 .stage = states ? KeyStage::made : KeyStage::signing};
    struct stat facts{};
    if (stat(file.c_str(), &facts) == 0)
      state.since = WallTime(std::chrono::seconds(facts.st_mtime));
    if (!states) return state;
    const auto found = std::ranges::find(*states, selector, &provision::RotatingKey::selector);
    return found == states->end() ? state : *found;
  }

  void load_signing_keys(const fs::path& folder, const std::string& domain) {
    const auto states = load_key_states(folder / "state.toml");
    for (const fs::path& file : entries(folder, 4 * signing_keys_per_domain_max)) {
      if (file.extension() != ".pem") continue;
      const std::string selector = file.stem().string();
      auto& keys = result_.signing_keys[domain];
      if (keys.size() == signing_keys_per_domain_max)
        return problem(folder, fmt::format("more than {} keys", signing_keys_per_domain_max));
      if (!text::check_hostname(selector + ".example")) {
        problem(file, "the file's name is not a selector: letters, digits, hyphens and dots");
        continue;
      }
      auto pem = read(file, pem_file_bytes_max);
      if (!pem) continue;
      note_if_open(file);
      const auto key = crypto::PrivateKey::from_pem(*pem);
      if (!key) {
        problem(file, key.error().what);
      } else if (key->kind() == crypto::KeyKind::ec_p256) {
        problem(file, "DKIM signs with RSA or Ed25519 keys, this one is EC P-256");
      } else {
        auto state = state_of(states, selector, file);
        state.kind = key->kind();
        keys.push_back({selector, *std::move(pem), file.string(), std::move(state)});
      }
    }
  }

  void load_srs_keys() {
    const fs::path file = srs_keys_file(places_.folder);
    if (!fs::exists(file, ignored_)) return;
    auto text = read(file);
    if (!text) return;
    note_if_open(file);
    auto keys = forward::read_srs_keys(*text, file.string());
    crypto::wipe(*text);
    if (!keys) return result_.problems.push_back(keys.error().what);
    result_.srs_keys = *std::move(keys);
  }

  void build_aliases() {
    auto built = alias::build_alias_table(domains_);
    result_.aliases = std::move(built.table);
    std::ranges::move(built.problems, std::back_inserter(result_.problems));
    std::ranges::move(built.notices, std::back_inserter(result_.notices));
    if (built.leads_out && !result_.srs_keys)
      result_.notices.push_back(
          fmt::format("{}: there is no such file, so mail that aliases lead out keeps its return "
                      "path and fails SPF; `tapal init` makes it",
                      srs_keys_file(places_.folder).string()));
  }

  void load_certificate(const fs::path& folder) {
    const fs::path chain_path = folder / "fullchain.pem";
    const fs::path key_path = folder / "privkey.pem";
    // ACME clients keep other folders beside those of names.
    if (!fs::exists(chain_path, ignored_) && !fs::exists(key_path, ignored_)) return;
    auto chain = read(chain_path, pem_file_bytes_max);
    auto key = read(key_path, pem_file_bytes_max);
    if (!chain || !key) return;
    note_if_open(key_path);
    const auto facts = crypto::read_certificate(*chain);
    if (!facts) return problem(chain_path, facts.error().what);
    const auto private_key = crypto::PrivateKey::from_pem(*key);
    if (!private_key) return problem(key_path, private_key.error().what);
    if (!crypto::certificate_fits(*chain, *private_key))
      return problem(key_path, "this is not the key of the certificate beside it");
    result_.certificates.push_back({folder.filename().string(),
                                    *std::move(chain),
                                    *std::move(key),
                                    chain_path.string(),
                                    key_path.string()});
  }

  ConfigPlaces places_;
  ConfigFolder result_;
  std::vector<alias::DomainInput> domains_;
  std::error_code ignored_;
};

}  // namespace

ConfigFolder load_config_folder(const ConfigPlaces& places) { return Loader(places).load(); }

Result<std::vector<SigningKey>> load_signing_keys(const fs::path& config, std::string_view domain) {
  auto folder = Loader({config, {}}).load_keys_of(std::string(domain));
  if (!folder.problems.empty())
    return fail(Code::invalid, fmt::format("{}", fmt::join(folder.problems, "\n")));
  const auto found = folder.signing_keys.find(domain);
  if (found == folder.signing_keys.end()) return std::vector<SigningKey>();
  return std::move(found->second);
}

fs::path users_file(const fs::path& config, std::string_view domain) {
  return config / "domains" / domain / "users";
}

fs::path aliases_file(const fs::path& config, std::string_view domain) {
  return config / "domains" / domain / "aliases";
}

fs::path domain_settings_file(const fs::path& config, std::string_view domain) {
  return config / "domains" / domain / "domain.toml";
}

fs::path srs_keys_file(const fs::path& config) { return config / "srs.keys"; }

fs::path signing_key_file(const fs::path& config,
                          std::string_view domain,
                          std::string_view selector) {
  return config / "domains" / domain / "dkim" / fmt::format("{}.pem", selector);
}

fs::path key_states_file(const fs::path& config, std::string_view domain) {
  return config / "domains" / domain / "dkim" / "state.toml";
}

}  // namespace tapal::files
