#include "rules/migrate/chasquid_users.h"

#include <fmt/format.h>

#include "rules/migrate/text_proto.h"
#include "values/crypto/foreign_password.h"
#include "values/text/ascii.h"

namespace tapal::migrate {
namespace {

std::string scrypt_text(const ProtoField& scrypt) {
  const auto number = [&](std::string_view name) {
    return text::to_number<std::uint32_t>(scrypt.text(name)).value_or(0);
  };
  return crypto::ScryptHash{
      number("logN"), number("r"), number("p"), scrypt.text("salt"), scrypt.text("encrypted")}
      .text();
}

// What is wrong; empty: the password is in `user`.
std::string read_password(const ProtoField& password, OldUser& user) {
  if (const auto* plain = password.find("plain")) {
    user.clear_password = plain->text("password");
    return user.clear_password.empty() ? "has no password" : "";
  }
  if (password.find("denied") != nullptr)
    return "may not log in there, and a user here has a password";
  std::string hash;
  if (const auto* scrypt = password.find("scrypt"))
    hash = scrypt_text(*scrypt);
  else if (const auto* bcrypt = password.find("bcrypt"))
    hash = bcrypt->text("hash");
  else
    return "has a password of a kind that is not known here";
  if (auto problem = crypto::foreign_hash_problem(hash); !problem.empty())
    return "has a password hash that " + problem;
  user.password_hash = std::move(hash);
  return {};
}

}  // namespace

Result<std::vector<OldUser>> read_chasquid_users(std::string_view text,
                                                 std::string_view file_name,
                                                 Inventory& inventory) {
  TAPAL_TRY(const auto file, read_text_proto(text, file_name));
  std::vector<OldUser> users;
  for (const auto& entry : file.fields) {
    const auto place = fmt::format("{}:{}", file_name, entry.line);
    const auto* password = entry.find("value");
    if (entry.name != "users" || password == nullptr) {
      inventory.leave(place, "this is no user");
      continue;
    }
    OldUser user{
        .name = entry.text("key"), .password_hash = {}, .clear_password = {}, .place = place};
    if (const auto problem = read_password(*password, user); !problem.empty())
      inventory.leave(place,
                      fmt::format("{} {}: give a new one with `tapal user add`",
                                  text::printable(user.name, 80),
                                  problem));
    users.push_back(std::move(user));
  }
  return users;
}

}  // namespace tapal::migrate
