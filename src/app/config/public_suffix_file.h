// Where the public suffix list comes from.
#pragma once

#include <string>

#include "base/result.h"
#include "values/dns/public_suffix.h"

namespace tapal::app {

// The list of `file`; when that is empty, the one that the system keeps up to date (Debian's
// package publicsuffix), else the one libpsl was built with.
Result<dns::PublicSuffixes> load_public_suffixes(const std::string& file = {});

}  // namespace tapal::app
