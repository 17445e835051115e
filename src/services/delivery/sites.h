// Which site takes a domain's mail (rules/shaping/site_name.h), asked of DNS once an hour. Belongs
// to the dispatcher's loop.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/task.h"
#include "rules/shaping/providers.h"
#include "services/delivery/exchanges.h"

namespace tapal::delivery {

// References must outlive the sites.
struct SitesWorld {
  Loop& loop;
  Resolver& resolver;
  Random& random;
  const Options& options;
  const OwnNames& own;
  const shaping::ProviderTable& providers;
};

class Sites {
 public:
  explicit Sites(SitesWorld world) : world_(world) {}

  // Nothing: it was not asked for lately.
  std::optional<std::string> known(const std::string& domain) const;
  // Nothing: DNS does not answer. A domain that takes no mail is its own site.
  Task<std::optional<std::string>> find(std::string domain);
  // Whether one connection will do for all domains of the site: hosts of a provider differ.
  bool is_one_set_of_hosts(std::string_view site) const;
  const shaping::ProviderTable& providers() const { return world_.providers; }

 private:
  struct Known {
    std::string site;
    Instant until;
  };

  SitesWorld world_;
  std::unordered_map<std::string, Known> known_;
};

}  // namespace tapal::delivery
