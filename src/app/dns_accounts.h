// The accounts at DNS providers that the settings name, for a process that uses them again and
// again: each opened when it is first asked for.
#pragma once

#include <map>
#include <memory>
#include <string_view>

#include "app/settings.h"
#include "drivers/dnsapi/providers.h"
#include "ports/log.h"

namespace tapal::app {

class DnsAccounts {
 public:
  // All of it outlives this.
  DnsAccounts(const DnsSettings& settings, const dnsapi::World& world, Log& log)
      : settings_(settings), world_(world), log_(log) {}

  // Of the zone that `name` is in; null where none is set, or it cannot be opened, which is logged.
  DnsAccount* of(std::string_view name);

 private:
  const DnsSettings& settings_;
  dnsapi::World world_;
  Log& log_;
  std::map<const DnsAccountSettings*, std::unique_ptr<DnsAccount>> open_;
};

}  // namespace tapal::app
