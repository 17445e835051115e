// The servers that answer for a zone, each asked itself: what they say counts, not what a resolver
// remembers.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip_address.h"
#include "base/result.h"
#include "base/task.h"
#include "ports/loop.h"
#include "ports/resolver.h"
#include "ports/stream.h"
#include "values/dns/lookup.h"

namespace tapal::upkeep {

struct Authority {
  std::string name;                  // of the server, as NS has it
  std::vector<IpAddress> addresses;  // tried in turn; IPv4 first
};

struct AuthoritativeZone {
  std::string name;
  std::vector<Authority> servers;  // at least one, each with an address
};

struct AuthorityOptions {
  std::uint16_t port = 53;
  std::chrono::seconds answer_time_max{5};  // of one address
  std::size_t servers_max = 16;             // further ones of a zone are not asked
  std::size_t addresses_max = 4;            // of one server
};

struct AuthorityAnswer {
  std::string server;
  // Of the records at the very name asked for: a CNAME is followed only as far as the same answer
  // leads. Errors: try_later (nobody there, or a failure), denied (it does not answer for the
  // zone).
  Result<dns::LookupReply> reply;
};

// References must outlive the tasks; `network` is the loop's.
class ZoneAuthorities {
 public:
  ZoneAuthorities(Resolver& resolver, Network& network, AuthorityOptions options = {})
      : resolver_(resolver), network_(network), options_(options) {}

  // The zone that `name` is in. Errors: not_found (nobody serves it), try_later.
  Task<Result<AuthoritativeZone>> find(Loop& loop, std::string name);
  Task<AuthorityAnswer> ask(Loop& loop, Authority server, dns::Lookup lookup);
  // All at once, in the order of `zone`.
  Task<std::vector<AuthorityAnswer>> ask_all(Loop& loop,
                                             AuthoritativeZone zone,
                                             dns::Lookup lookup);

 private:
  Task<Result<AuthoritativeZone>> find_servers(Loop& loop,
                                               std::string zone,
                                               std::vector<std::string> names);
  Task<void> ask_into(Loop& loop, Authority server, dns::Lookup lookup, AuthorityAnswer& into);
  Task<Result<dns::LookupReply>> ask_address(Loop& loop, IpAddress address, dns::Lookup lookup);

  Resolver& resolver_;
  Network& network_;
  AuthorityOptions options_;
};

}  // namespace tapal::upkeep
