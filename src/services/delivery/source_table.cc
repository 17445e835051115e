#include "services/delivery/source_table.h"

#include <memory>
#include <utility>

namespace tapal::delivery {

AddressFamily Exit::reach() const {
  const bool v4 = usability.any() ? usability.ipv4 : source.has_ipv4();
  const bool v6 = usability.any() ? usability.ipv6 : source.has_ipv6();
  if (v4 == v6) return AddressFamily::both;
  return v4 ? AddressFamily::ipv4 : AddressFamily::ipv6;
}

SourceTable::SourceTable(const Options& options)
    : exits_(std::make_shared<const Exits>(exits_of(options))) {}

// Beside those with names there is the usual one, for mail that follows a route.
SourceTable::Exits SourceTable::exits_of(const Options& options) {
  auto sources = sources_of(options).sources;
  sources.push_back(usual_source(options));
  Exits exits;
  for (auto& source : sources) {
    const shaping::Usability usability{source.has_ipv4(), source.has_ipv6(), {}};
    auto name = source.name;
    exits.try_emplace(std::move(name), Exit{std::move(source), usability});
  }
  return exits;
}

Exit SourceTable::exit_of(const Attempt& attempt) const {
  const auto exits = exits_.get();
  auto name = std::string_view(attempt.permit.source);
  if (name.empty() && attempt.forwarded && exits->contains(forward_source)) name = forward_source;
  const auto found = exits->find(name);
  return found == exits->end() ? Exit() : found->second;
}

void SourceTable::mark(std::string_view source, shaping::Usability usability) {
  auto next = std::make_shared<Exits>(*exits_.get());
  const auto found = next->find(source);
  if (found == next->end()) return;
  found->second.usability = std::move(usability);
  exits_.set(std::move(next));
}

}  // namespace tapal::delivery
