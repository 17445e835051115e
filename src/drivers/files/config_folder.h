// The configuration folder as people edit it, read whole (tapal.toml is read by app/settings):
//   domains/<domain>/domain.toml, users, aliases (and what it includes), dkim/<selector>.pem,
//   dkim/state.toml;
//   certs/<name>/fullchain.pem and privkey.pem; srs.keys
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "rules/account/directory.h"
#include "rules/alias/alias_table.h"
#include "rules/forward/srs.h"
#include "rules/provision/key_rotation.h"

namespace tapal::files {

inline constexpr std::size_t domains_max = 100'000;
inline constexpr std::size_t signing_keys_per_domain_max = 16;
inline constexpr std::size_t certificates_max = 100'000;

struct SigningKey {
  std::string selector;
  std::string pem;  // private: never printed
  std::string file;
  provision::RotatingKey state;  // of dkim/state.toml; where there is no such file: signing
};

struct Certificate {
  std::string name;  // host name: its folder's name
  std::string chain_pem;
  std::string key_pem;  // private: never printed
  std::string chain_file;
  std::string key_file;
};

struct ConfigFolder {
  account::Directory directory;
  alias::AliasTable aliases;
  std::optional<forward::SrsKeys> srs_keys;  // nothing: there is no such file
  std::map<std::string, std::vector<SigningKey>, std::less<>> signing_keys;  // by domain, by name
  std::vector<std::string> included_files;  // real paths, that aliases files take in
  std::vector<Certificate> certificates;    // by name
  std::vector<std::string> problems;  // "file:line: what is wrong"; any makes the folder unfit
  std::vector<std::string> notices;   // worth knowing, no reason to stop
};

struct ConfigPlaces {
  std::filesystem::path folder;
  std::filesystem::path certificates;  // empty: folder/certs
  // A text to be read in the place of a file: what an edit would do, before it is made.
  struct Draft {
    std::filesystem::path file;
    std::string text;
  };
  std::optional<Draft> draft = {};
};

ConfigFolder load_config_folder(const ConfigPlaces& places);
// The keys of one domain alone, which may be none. The Error holds all problems, one a line.
Result<std::vector<SigningKey>> load_signing_keys(const std::filesystem::path& config,
                                                  std::string_view domain);

// Places inside the folder, for tools that write. `domain` in the form of mail::Address::domain.
std::filesystem::path users_file(const std::filesystem::path& config, std::string_view domain);
std::filesystem::path aliases_file(const std::filesystem::path& config, std::string_view domain);
std::filesystem::path domain_settings_file(const std::filesystem::path& config,
                                           std::string_view domain);
std::filesystem::path srs_keys_file(const std::filesystem::path& config);
std::filesystem::path signing_key_file(const std::filesystem::path& config,
                                       std::string_view domain,
                                       std::string_view selector);
std::filesystem::path key_states_file(const std::filesystem::path& config, std::string_view domain);

}  // namespace tapal::files
