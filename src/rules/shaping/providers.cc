#include "rules/shaping/providers.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "values/text/ascii.h"
#include "values/text/duration.h"

namespace tapal::shaping {

std::string rate_text(const Rate& rate) {
  return fmt::format("{}/{}", rate.count, text::duration_text(rate.in));
}

std::string_view text_of(Reaction reaction) {
  return reaction_words.at(static_cast<std::size_t>(reaction));
}

const Provider* ProviderTable::of_host(std::string_view host) const {
  if (host.ends_with('.')) host.remove_suffix(1);
  const std::string name = text::to_lower(host);
  for (std::size_t at = 0; at < name.size();) {
    const auto found = by_suffix_.find(std::string_view(name).substr(at));
    if (found != by_suffix_.end()) return &providers_[found->second];
    const auto dot = name.find('.', at);
    if (dot == name.npos) break;
    at = dot + 1;
  }
  return nullptr;
}

const Provider* ProviderTable::of_hosts(std::span<const std::string> mx_hosts) const {
  for (const std::string& host : mx_hosts) {
    if (const auto* provider = of_host(host)) return provider;
  }
  return nullptr;
}

const Provider* ProviderTable::of_domain(std::string_view domain) const {
  const auto found = by_domain_.find(text::to_lower(domain));
  return found == by_domain_.end() ? nullptr : &providers_[found->second];
}

const Provider* ProviderTable::find(std::string_view name) const {
  const auto found = std::ranges::find(providers_, name, &Provider::name);
  return found == providers_.end() ? nullptr : &*found;
}

const ReplyRule* ProviderTable::rule_for(const Provider* provider, std::string_view said) const {
  if (said.starts_with('2')) return nullptr;  // no refusal, whatever its words
  if (provider != nullptr) {
    if (const auto index = provider->patterns.first_match(said)) return &provider->replies[*index];
  }
  const auto index = any_.patterns.first_match(said);
  return index ? &any_.replies[*index] : nullptr;
}

}  // namespace tapal::shaping
