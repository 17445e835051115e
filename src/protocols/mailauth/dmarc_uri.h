// The addresses of rua= and ruf= (RFC 9989 sections 4.6 and 4.8).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tapal::mailauth {

struct DmarcUris {
  std::vector<std::string> good;      // in their order, without the obsolete "!10m" at the end
  std::vector<std::string_view> bad;  // no URIs; borrowed
  bool has_size = false;              // there was a "!10m"
};

// "mailto:a@example.com, mailto:b@example.com!10m". A mailto: URI without an address is bad.
DmarcUris parse_dmarc_uris(std::string_view list);

}  // namespace tapal::mailauth
