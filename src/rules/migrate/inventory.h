// What another mail server has that comes along: the common form of everything that is imported,
// whichever server it was. Reading fills it in; comparing and writing are others' work.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "rules/account/domain_settings.h"

namespace tapal::migrate {

// The other server's files as they are found. Paths are those that its own files name. Errors name
// the place.
class OldFiles {
 public:
  virtual ~OldFiles() = default;
  virtual Result<std::string> read(std::string_view path) const = 0;
  // Names in a folder, sorted; none where it cannot be read.
  virtual std::vector<std::string> names_in(std::string_view folder) const = 0;
};

struct OldUser {
  std::string name;            // local part
  std::string password_hash;   // as a users file has it; empty: there is none
  std::string clear_password;  // what the other server kept in the clear; empty: nothing
  std::string place;           // "users:3", as in all that follows
};

struct OldAlias {
  std::string name;                  // of an aliases file (rules/alias/aliases_file.h)
  std::vector<std::string> targets;  // in the form of rules/alias/rule_target.h
  std::string place;
};

struct OldKey {
  std::string selector;
  std::string pem;  // private: never printed
  std::string place;
};

struct OldDomain {
  std::string name;  // A-labels
  account::DomainSettings settings;
  std::vector<OldUser> users;
  std::vector<OldAlias> aliases;
  std::vector<OldKey> keys;
};

struct OldCertificate {
  std::string name;  // the folder it gets
  std::string chain_pem;
  std::string key_pem;  // private: never printed
  std::string place;
};

struct OldSetting {
  std::string name;   // "limits.message_bytes"
  std::string value;  // as TOML has it
  std::string place;
};

// The server that all mail to others goes through.
struct OldRelay {
  std::string host;  // "smtp.example.net:587"
  std::string user;  // empty: no login
  std::string password;
  std::string place;
};

// What does not come along: why, and what a person does about it.
struct LeftBehind {
  std::string place;
  std::string what;
};

struct Inventory {
  std::string hostname;        // empty: the other server took the system's
  std::string mailbox_target;  // who keeps users' mail, as a target of an alias; empty: the server
  std::map<std::string, OldDomain, std::less<>> domains;  // by name
  std::vector<OldCertificate> certificates;
  std::vector<OldSetting> settings;
  std::optional<OldRelay> relay;
  std::vector<LeftBehind> left_behind;

  void leave(std::string place, std::string what) {
    left_behind.push_back({std::move(place), std::move(what)});
  }
  OldDomain* find(std::string_view domain);  // null: not among them
  void add(OldDomain&& domain);              // one of that name stays as it is
};

}  // namespace tapal::migrate
