#include "rules/migrate/passwd_file.h"

#include <utility>

#include <fmt/format.h>

#include "rules/migrate/logical_lines.h"
#include "values/crypto/foreign_password.h"
#include "values/crypto/password.h"
#include "values/mail/address.h"
#include "values/text/ascii.h"

namespace tapal::migrate {
namespace {

struct Scheme {
  std::string name;  // in upper case; empty: none was named
  std::string_view rest;
};

// "{BLF-CRYPT}$2y$..."; ".b64" and ".hex" behind the name say how the rest is written.
Scheme take_scheme(std::string_view password) {
  const std::size_t end = password.find('}');
  if (!password.starts_with('{') || end == password.npos) return {{}, password};
  return {text::to_upper(password.substr(1, end - 1)), password.substr(end + 1)};
}

// What is wrong; empty: the password is in `user`.
std::string take_password(std::string_view password, OldUser& user) {
  constexpr std::string_view argon2 = "$argon2id$";
  const auto [scheme, rest] = take_scheme(password);
  if (rest.empty()) return "has no password";
  const bool is_clear = scheme == "PLAIN" || scheme == "CLEAR" || scheme == "CLEARTEXT";
  if (is_clear) {
    user.clear_password = rest;
    return {};
  }
  if (rest.starts_with(argon2)) {
    if (!crypto::is_password_hash(rest)) return "has an Argon2 hash of a form not known here";
    user.password_hash = rest;
    return {};
  }
  const bool is_crypt = scheme.empty() || scheme == "CRYPT" || scheme == "BLF-CRYPT" ||
                        scheme == "SHA256-CRYPT" || scheme == "SHA512-CRYPT";
  if (!is_crypt)
    return fmt::format("has a password of the scheme {}, which is not known here",
                       text::printable(scheme, 40));
  if (!crypto::is_foreign_hash(rest)) return "has a password hash of a kind that is not known here";
  if (const auto problem = crypto::foreign_hash_problem(rest); !problem.empty())
    return "has a password hash that " + problem;
  user.password_hash = rest;
  return {};
}

}  // namespace

void add_passwd_file(const PasswdFile& file, Inventory& inventory) {
  for (const auto& [line, number] : logical_lines(file.text)) {
    const auto place = fmt::format("{}:{}", file.file_name, number);
    const auto fields = text::split(line, ':');
    std::string login(fields.front());
    if (!login.contains('@')) login += fmt::format("@{}", file.home_domain);
    const auto address = mail::parse_address(login);
    if (fields.size() < 2 || !address) {
      inventory.leave(place, "this is no user and password");
      continue;
    }
    auto* domain = inventory.find(address->domain);
    if (domain == nullptr) {
      inventory.leave(
          place,
          fmt::format(
              "{}: {} is no domain of that server's mail", address->text(), address->domain));
      continue;
    }
    OldUser user{.name = address->local, .password_hash = {}, .clear_password = {}, .place = place};
    if (const auto problem = take_password(fields[1], user); !problem.empty())
      inventory.leave(
          place,
          fmt::format(
              "{0} {1}: give a new one with `tapal user add {0}`", address->text(), problem));
    domain->users.push_back(std::move(user));
  }
}

}  // namespace tapal::migrate
