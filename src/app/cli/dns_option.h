// The option --dns-server of commands that ask DNS, and asking for them.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "app/cli/command.h"
#include "app/cli/once.h"
#include "drivers/resolver/unbound_resolver.h"
#include "ports/look_up.h"

namespace tapal::app {

inline constexpr const char* dns_server_help =
    "ask this server, ADDRESS:PORT, and believe it; default: as the settings or the system say";

// What `dns_server` (empty: not given) stands for. Code::invalid: it is not ADDRESS:PORT.
Result<ResolverOptions> resolver_options(const CommonOptions& common,
                                         const std::string& dns_server);

// RFC 7208 section 4.6.4 wants 20 s at least for all of a check's lookups.
inline constexpr std::chrono::seconds lookups_time_max{20};

// Asks what a core wants to know until it wants no more (ports/look_up.h). Blocks.
template <class Core>
Result<void> answer_from_dns(const CommonOptions& common,
                             const std::string& dns_server,
                             Core& core) {
  TAPAL_TRY(auto options, resolver_options(common, dns_server));
  TAPAL_TRY(const auto resolver, UnboundResolver::open(std::move(options)));
  const auto ask = [](Resolver& from, Loop& loop, Core& asking) -> Task<bool> {
    const Instant until = loop.now() + lookups_time_max;
    co_await answer_lookups(from, loop, asking, until);
    co_return true;
  };
  run_once<bool>([&](NetLoop& loop) { return ask(*resolver, loop, core); });
  return {};
}

}  // namespace tapal::app
