// Certificate authorities that can be called by a name.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace tapal::acme {

struct NamedAuthority {
  std::string_view name;
  std::string_view title;
  std::string_view directory_url;
  std::string_view issuer_name;  // of CAA records
  bool needs_external_account = false;
};

inline constexpr std::array<NamedAuthority, 7> named_authorities{{
    {"letsencrypt",
     "Let's Encrypt",
     "https://acme-v02.api.letsencrypt.org/directory",
     "letsencrypt.org",
     false},
    {"letsencrypt-staging",
     "Let's Encrypt, for trying things out: no browser trusts it",
     "https://acme-staging-v02.api.letsencrypt.org/directory",
     "letsencrypt.org",
     false},
    {"zerossl", "ZeroSSL", "https://acme.zerossl.com/v2/DV90", "sectigo.com", true},
    {"google",
     "Google Trust Services",
     "https://dv.acme-v02.api.pki.goog/directory",
     "pki.goog",
     true},
    {"google-staging",
     "Google Trust Services, for trying things out",
     "https://dv.acme-v02.test-api.pki.goog/directory",
     "pki.goog",
     true},
    {"ssl.com", "SSL.com", "https://acme.ssl.com/sslcom-dv-ecc", "ssl.com", true},
    {"actalis", "Actalis", "https://acme-api.actalis.com/acme/directory", "actalis.it", true},
}};

// The one of that name; nothing for a URL.
std::optional<NamedAuthority> find_authority(std::string_view name);
// A name or a URL as a URL.
std::string directory_url_of(std::string_view name_or_url);

}  // namespace tapal::acme
