// The doctor's look at a domain, for commands.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app/cli/command.h"
#include "app/doctor/home.h"
#include "app/settings/settings.h"
#include "drivers/net/loop.h"
#include "drivers/net/tls.h"
#include "drivers/resolver/unbound_resolver.h"
#include "drivers/system/clock.h"
#include "rules/provision/finding.h"
#include "services/upkeep/examination.h"
#include "services/upkeep/zone_authorities.h"
#include "values/dns/public_suffix.h"

namespace tapal::app {

class DoctorLook {
 public:
  // `dns_server` as --dns-server has it; empty: as the settings or the system say. Where there is
  // no configuration yet, settings are as they are by themselves.
  static Result<std::unique_ptr<DoctorLook>> prepare(const CommonOptions& common,
                                                     const std::string& dns_server);

  // What the chosen checks (none: all) find. Blocks, for a minute or two at most.
  Result<std::vector<provision::Finding>> examine(const DoctorPlace& place,
                                                  const std::vector<std::string>& only);
  // The same of a domain that is not configured yet: as far as it is told here.
  std::vector<provision::Finding> examine(provision::Home home,
                                          const std::vector<std::string>& only);

 private:
  DoctorLook(Settings settings, dns::PublicSuffixes suffixes)
      : settings_(std::move(settings)), suffixes_(std::move(suffixes)) {}
  struct Choice {
    std::filesystem::path config;
    std::vector<std::string> only;
  };
  Task<std::vector<provision::Finding>> look(NetLoop& loop, provision::Home home, Choice choice);

  Settings settings_;
  dns::PublicSuffixes suffixes_;
  std::unique_ptr<UnboundResolver> resolver_;
  std::unique_ptr<ClientContext> tls_;
  upkeep::AuthorityOptions authorities_;
  SystemClock clock_;
};

}  // namespace tapal::app
