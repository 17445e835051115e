// What a Postfix has: main.cf and master.cf, the text files of its tables, aliases(5), its TLS
// certificate, OpenDKIM's keys beside it, and the users of a Dovecot passwd-file.
#pragma once

#include <string>

#include "rules/migrate/inventory.h"

namespace tapal::migrate {

struct PostfixPlaces {
  std::string folder = "/etc/postfix";
  std::string passwd_file;      // empty: none was named
  std::string passwd_text;      // what is in it
  std::string system_hostname;  // what Postfix takes where main.cf has no myhostname
};

// Error: there is no main.cf to read.
Result<Inventory> read_postfix(const OldFiles& files, const PostfixPlaces& places);

}  // namespace tapal::migrate
