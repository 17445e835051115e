#include "rules/alias/alias_index.h"

#include <string_view>

#include "values/text/ascii.h"

namespace tapal::alias {
namespace {

using Found = AliasIndex::Found;
using Way = AliasIndex::Way;

bool look_up(const std::string& key, Way way, Found& found) {
  const auto entry = found.domain->names.find(key);
  if (entry == found.domain->names.end()) return false;
  found.way = way;
  found.entry = entry->second;
  return true;
}

bool is_mandatory_name(std::string_view local) {
  return text::equals_ignoring_case(local, "postmaster") ||
         text::equals_ignoring_case(local, "abuse");
}

}  // namespace

Found AliasIndex::find(const mail::Address& address) const {
  Found found;
  const auto domain = domains.find(address.domain);
  if (domain == domains.end()) return found;
  found.domain = &domain->second;

  const std::string key = lookup_key(address, domain->second.settings);
  if (look_up(key, Way::name, found)) return found;
  const std::size_t at = key.size() - address.domain.size() - 1;
  const std::string_view local = std::string_view(key).substr(0, at);
  const std::string_view rest = std::string_view(key).substr(at);
  bool mandatory = is_mandatory_name(local);
  const std::string& separators = domain->second.settings.suffix_separators;
  // The longest name first: john-doe-list is john-doe's before it is john's.
  for (std::size_t cut = local.find_last_of(separators); cut != local.npos && cut != 0;
       cut = local.find_last_of(separators, cut - 1)) {
    const std::string_view name = local.substr(0, cut);
    if (look_up(std::string(name).append(rest), Way::suffix, found)) return found;
    mandatory = mandatory || is_mandatory_name(name);
  }

  for (const Number pattern : domain->second.patterns) {
    const auto& compiled = rules[pattern].rule.pattern;
    auto captures = compiled ? compiled->match(address.local) : std::nullopt;
    if (!captures) continue;
    return {found.domain, Way::pattern, {pattern, {}}, *std::move(captures)};
  }
  if (domain->second.catch_all)
    return {found.domain, Way::catch_all, {domain->second.catch_all, {}}};
  if (mandatory && domain->second.first_user)
    return {found.domain, Way::first_user, {domain->second.first_user, {}}};
  return found;
}

bool is_mandatory(const mail::Address& address) { return is_mandatory_name(address.local); }

}  // namespace tapal::alias
