// DNS for cores that ask in the terms of values/dns/lookup.h.
#pragma once

#include <utility>

#include "ports/loop.h"
#include "ports/resolver.h"
#include "values/dns/lookup.h"

namespace tapal {

inline dns::LookupReply lookup_reply(Result<DnsAnswer> answer) {
  using Status = dns::LookupReply::Status;
  if (!answer)
    return {answer.error().code == Code::invalid ? Status::impossible : Status::failed, {}};
  switch (answer->status) {
    case DnsAnswer::Status::found: return {Status::found, std::move(answer->records)};
    case DnsAnswer::Status::no_data: return {Status::no_data, {}};
    case DnsAnswer::Status::no_such_name: break;
  }
  return {Status::no_such_name, {}};
}

// Asks what `core` wants to know until it wants no more. Once `until` has passed nobody is asked
// any more: a core that has on_time() is told by it, others get "failed" for all that is left. A
// lookup under way ends by the resolver's own time-out. References must outlive the task.
template <class Core>
Task<void> answer_lookups(Resolver& resolver, Loop& loop, Core& core, Instant until = never) {
  while (auto lookup = core.next_lookup()) {
    if (loop.now() < until) {
      auto answer = co_await resolver.resolve(loop, lookup->name, lookup->type);
      core.on_reply(lookup_reply(std::move(answer)));
    } else if constexpr (requires { core.on_time(); }) {
      core.on_time();
    } else {
      core.on_reply(dns::LookupReply());
    }
  }
}

}  // namespace tapal
