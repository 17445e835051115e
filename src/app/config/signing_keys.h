// DKIM keys as the configuration folder keeps them, and the DNS records that publish them.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "values/crypto/key.h"

namespace tapal::app {

// "tapal20261122": tells its age, and is new at each rotation.
std::string selector_of_today(WallTime now);

// Writes domains/<domain>/dkim/<selector>.pem, owner-only. Code::invalid when it is there already.
Result<void> write_signing_key(const std::filesystem::path& config,
                               std::string_view domain,
                               std::string_view selector,
                               const crypto::PrivateKey& key);

// One line of a zone file, the TXT cut into strings of at most 255 bytes.
Result<std::string> dkim_zone_line(std::string_view domain,
                                   std::string_view selector,
                                   const crypto::PrivateKey& key);

}  // namespace tapal::app
