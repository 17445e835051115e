// What mail leaves from: the machine's addresses, and pools of them for different kinds of mail.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/ip_address.h"
#include "base/time.h"
#include "rules/shaping/warm_up.h"

namespace tapal::shaping {

struct Source {
  std::string name;  // empty: the usual one, which routes leave from, too
  std::optional<IpAddress> ipv4;
  std::optional<IpAddress> ipv6;
  std::string ehlo_name;   // empty: the server's
  std::size_t weight = 1;  // its share of a pool's mail
  // Since when it sends mail. Nothing: since it was first seen here.
  std::optional<WallTime> new_since;
  // Of a family without an address the system chooses one; else that family is not used.
  bool system_chooses = false;

  bool has_ipv4() const { return ipv4 || system_chooses; }
  bool has_ipv6() const { return ipv6 || system_chooses; }
  bool operator==(const Source&) const = default;
};

struct Pool {
  std::string name;
  std::vector<std::string> sources;
  std::vector<std::string> domains;  // of return paths whose mail leaves from here; lower case
  std::vector<std::string> users;    // who submitted it; lower case

  bool operator==(const Pool&) const = default;
};

// What [sources] and [pools] say. Sources have different names; so have pools, each of at least
// one source.
struct SourceOptions {
  std::vector<Source> sources{{.system_chooses = true}};
  std::vector<Pool> pools;
  // For mail that no pool claims by user or domain; empty: all sources. Forwarded mail is claimed
  // by none: what strangers write is kept apart where there is a pool for it.
  std::string pool;
  std::string forwarding_pool;  // empty: as `pool`
  std::string notices_pool;     // empty: as `pool`
  WarmUpOptions warm_up;

  bool operator==(const SourceOptions&) const = default;
};

}  // namespace tapal::shaping
