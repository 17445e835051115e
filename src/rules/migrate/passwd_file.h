// Dovecot's passwd-file: "user:{SCHEME}password:uid:gid:gecos:home:shell:extra", one user a line.
// Hashes that can be checked here are taken as they are: bcrypt, SHA-crypt, Argon2id.
#pragma once

#include <string_view>

#include "rules/migrate/inventory.h"

namespace tapal::migrate {

struct PasswdFile {
  std::string_view text;
  std::string_view file_name;
  std::string_view home_domain;  // of users without a domain in their name
};

// Adds its users to the domains of the inventory. Those whose password cannot be taken, and those
// of other domains, are left behind by name.
void add_passwd_file(const PasswdFile& file, Inventory& inventory);

}  // namespace tapal::migrate
