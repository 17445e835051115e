// What intake knows of our own domains: one version of the configuration folder, ready for use.
// Replaced as a whole on reload (base/snapshot.h).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/mailauth/dkim_sign.h"
#include "rules/account/directory.h"
#include "rules/alias/alias_table.h"
#include "rules/forward/srs.h"

namespace tapal::intake {

struct Domains {
  account::Directory directory;
  alias::AliasTable aliases;
  std::optional<forward::Srs> srs;  // nothing: there is no srs.keys
  std::map<std::string, std::vector<mailauth::DkimSigner>, std::less<>> signers;  // by domain
};

// The keys of `name`, or of the nearest domain above it that has some; null when none has.
const std::vector<mailauth::DkimSigner>* signers_of(const Domains& domains, std::string_view name);

}  // namespace tapal::intake
