// One user of one of our own domains.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rules/account/app_password.h"
#include "values/crypto/scram_keys.h"
#include "values/mail/address.h"

namespace tapal::account {

// What may-send-as= gives: one address, or every address of a domain ("*@example.org").
struct Grant {
  std::optional<mail::Address> address;  // nothing: the whole domain
  std::string domain;                    // lower case
};

struct UserRecord {
  mail::Address address;      // name@domain
  std::string password_hash;  // "$argon2id$...", or what another server made
  std::optional<crypto::ScramKeys> scram;
  std::vector<AppPassword> app_passwords = {};
  std::vector<Grant> grants = {};

  // Whether what a login was checked against (password_hash, or the text() of an application
  // password) is still there: a session ends with the password that opened it.
  bool holds(std::string_view credential) const;
};

// Whether a local part can be the name of a user: it becomes the name of a folder, and stands
// before a colon in a file. The text names what is wrong; empty means it can.
std::string user_name_problem(std::string_view name);

}  // namespace tapal::account
