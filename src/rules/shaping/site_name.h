// A site is the set of hosts that take a domain's mail: all domains of one provider share it, and
// with it the limits.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "rules/shaping/providers.h"

namespace tapal::shaping {

// The provider's name where the table knows the hosts or the domain, else the hosts' names in
// alphabetical order, "mx1.example.net,mx2.example.net". `mx_hosts` in order of preference, lower
// case; none: the domain has no MX and is its own site.
std::string site_name(const ProviderTable& providers,
                      std::string_view domain,
                      std::span<const std::string> mx_hosts);

// Mail that aliases pass on goes to a site of its own, with limits of its own.
std::string forwarded_site(std::string_view site);

// Where no DNS leads: a route, a program, our mailboxes. Their names have a space or a colon, which
// host names have not; no source is chosen for them.
bool is_own_way(std::string_view site);

// Of either; null when the site is none of the table's.
const Provider* provider_of_site(const ProviderTable& providers, std::string_view site);

}  // namespace tapal::shaping
