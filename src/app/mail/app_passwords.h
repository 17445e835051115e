// Application passwords in the users file, for the commands that make and show them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "app/cli/command.h"
#include "base/result.h"
#include "rules/account/app_password.h"
#include "values/mail/address.h"

namespace tapal::app {

struct AppPasswordPlace {
  mail::Address user;
  std::string name;  // of the password
};

// Each writes the file and has the running server take it in. add gives the password: it is kept
// nowhere. Errors: not_found (no such domain, user, password), invalid (the name is taken or none).
Result<std::string> add_app_password(const CommonOptions& common, const AppPasswordPlace& place);
Result<void> remove_app_password(const CommonOptions& common, const AppPasswordPlace& place);

Result<std::vector<account::AppPassword>> app_passwords_of(const CommonOptions& common,
                                                           const mail::Address& user);

// "--config FOLDER" where the folder is not the usual one, with a space in front: for command lines
// that people are told to type.
std::string config_words(const CommonOptions& common);

}  // namespace tapal::app
