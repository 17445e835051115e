// Whether our addresses can be sent from: they are on this machine, and reverse DNS leads to a name
// and back (RFC 8601 section 3), without which large providers refuse. Looks at the start and then
// again and again, and says so when something has changed. Belongs to the dispatcher's loop.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ports/clock.h"
#include "ports/log.h"
#include "ports/loop.h"
#include "ports/resolver.h"
#include "rules/shaping/sources.h"
#include "services/delivery/source_table.h"

namespace tapal::delivery {

// All of it outlives the watch.
struct SourceWatchWorld {
  Loop& loop;
  const Clock& clock;
  Log& log;
  Resolver& resolver;
  const Options& options;
  shaping::Sources& sources;
  SourceTable& table;
  std::function<std::vector<IpAddress>()> own_addresses;
  // What the system connects to an address from; nothing: there is no way there.
  std::function<std::optional<IpAddress>(const IpAddress&)> address_to;
};

class SourceWatch {
 public:
  static constexpr std::chrono::minutes look_every{10};

  explicit SourceWatch(SourceWatchWorld world);

  // Until stop(). What needs no DNS is known when this comes back for the first time.
  Task<void> run();
  void look_again();  // now
  void stop();

 private:
  struct Found {
    std::optional<IpAddress> address;
    bool usable = true;
    std::string why;
  };
  using Family = AddressFamily;
  Found find(const shaping::Source& source, Family family) const;
  bool is_on_machine(const IpAddress& address) const;
  void see_age(const shaping::Source& source);
  Task<void> look();
  Task<void> look_at(const shaping::Source& source);
  Task<Found> judge(Found found);

  SourceWatchWorld world_;
  std::unique_ptr<Timer> timer_;
  std::map<IpAddress, std::string> last_known_;  // what speaks against it; empty: nothing
  bool stopped_ = false;
};

}  // namespace tapal::delivery
