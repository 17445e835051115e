// A libunbound context made from our options.
#pragma once

#include <memory>
#include <vector>

#include "base/ip_address.h"
#include "base/result.h"
#include "drivers/resolver/unbound_resolver.h"

struct ub_ctx;
struct ub_event_base;  // NOLINT(readability-identifier-naming): the library's name

namespace tapal {

struct UnboundContextDelete {
  void operator()(ub_ctx* context) const;
};
using UnboundContext = std::unique_ptr<ub_ctx, UnboundContextDelete>;

struct UnboundSetup {
  UnboundContext context;
  std::vector<Endpoint> servers;  // forwarded to
  bool validates = false;
};
// The context runs on `base`, which outlives it.
Result<UnboundSetup> open_unbound(const ResolverOptions& options, ub_event_base* base);

}  // namespace tapal
