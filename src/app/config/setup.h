// Makes a working configuration folder for one domain. Running it twice changes nothing that is
// there.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"

namespace tapal::app {

struct SetupOptions {
  std::filesystem::path config;
  std::string domain;  // A-labels
  std::string hostname;
  std::string state_folder;  // empty: the default
  enum class Certificate : std::uint8_t {
    self_signed,
    none
  } certificate = Certificate::self_signed;
};

struct SetupDone {
  std::vector<std::string> done;  // "made    /etc/tapal/tapal.toml", "kept    ..."
  std::string dkim_record;        // a line of a zone file
};

// tapal.toml, the domain's folder with a DKIM key (RSA-2048), keys for rewritten return paths, and
// where it is wanted, a self-signed certificate for the host name.
Result<SetupDone> set_up(const SetupOptions& options);

}  // namespace tapal::app
