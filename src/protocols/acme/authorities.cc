#include "protocols/acme/authorities.h"

#include <algorithm>

namespace tapal::acme {

std::optional<NamedAuthority> find_authority(std::string_view name) {
  const auto* found = std::ranges::find(named_authorities, name, &NamedAuthority::name);
  if (found == named_authorities.end()) return {};
  return *found;
}

std::string directory_url_of(std::string_view name_or_url) {
  const auto named = find_authority(name_or_url);
  return std::string(named ? named->directory_url : name_or_url);
}

}  // namespace tapal::acme
