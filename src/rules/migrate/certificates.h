// A certificate that another server used, taken when it can be used here.
#pragma once

#include <string>
#include <vector>

#include "rules/migrate/inventory.h"

namespace tapal::migrate {

struct CertificateFiles {
  std::string name;  // the host's
  std::vector<std::string> chain;
  std::vector<std::string> key;  // may be among those of the chain
};

// What cannot be read, does not fit together or is self-signed is left behind, and told. Whether
// it is still valid is for those to see who know the time.
void add_certificate(const OldFiles& files, const CertificateFiles& from, Inventory& inventory);

}  // namespace tapal::migrate
