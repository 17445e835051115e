// What the doctor must ask to know about upkeep at home: when certificates are renewed, whether the
// backup has all, whether the accounts at DNS providers work.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "app/settings/settings.h"
#include "drivers/dnsapi/providers.h"
#include "ports/programs.h"
#include "rules/provision/home.h"

namespace tapal::app {

// From the notes beside the certificates. Nothing: none of them is ours to renew, or to get.
std::optional<std::vector<provision::RenewalFacts>> renewal_plans(
    const std::filesystem::path& config, const Settings& settings);

// References must outlive the task.
struct DoctorUpkeepWorld {
  Loop& loop;
  Programs& programs;
  const DnsSettings& dns;
  dnsapi::World accounts;
  std::filesystem::path config;
};

// `home` with what git says of the backup, and with each account that holds the domain or the host:
// asked for the zone and for what stands at its top, while nothing is written. Checks that are not
// chosen (none: all are) need not be asked for.
Task<provision::Home> with_upkeep(provision::Home home,
                                  DoctorUpkeepWorld world,
                                  std::vector<std::string> only);

}  // namespace tapal::app
