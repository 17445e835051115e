// Where a request goes (RFC 3986, RFC 9110 section 4.2), also to a server behind a unix socket.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tapal::http {

struct Url {
  enum class Scheme : std::uint8_t { http, https, http_unix };

  Scheme scheme = Scheme::http;
  std::string host;  // a name in lower case, or an address without brackets; of a socket: localhost
  std::uint16_t port = 0;
  std::string socket;        // the path of the unix socket; else empty
  std::string target = "/";  // path and query, as the request line has it

  bool operator==(const Url&) const = default;
  std::string authority() const;  // of the Host field: "example.com:8080", "[::1]"
  std::string_view path() const;  // of the target, without its query
};

inline constexpr std::size_t url_bytes_max = 4'096;

// http://host[:port][/path][?query], https://..., or http+unix:///path/to/socket:/path. Refused
// with what is wrong (invalid): other schemes, user and password, fragments, spaces, control
// characters and anything beyond ASCII.
Result<Url> parse_url(std::string_view text);

// What a request that came in asks for (RFC 9112 section 3.3): its target, in origin-form with the
// Host field or in absolute-form, which counts before that field. Refused (invalid) as above, and
// the other forms.
Result<Url> requested_url(Url::Scheme scheme, std::string_view target, std::string_view host);

}  // namespace tapal::http
