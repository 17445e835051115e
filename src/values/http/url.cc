#include "values/http/url.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "base/ip_address.h"
#include "values/text/ascii.h"

namespace tapal::http {
namespace {

constexpr std::uint16_t http_port = 80;
constexpr std::uint16_t https_port = 443;

std::uint16_t usual_port(Url::Scheme scheme) {
  return scheme == Url::Scheme::https ? https_port : http_port;
}

bool is_host_char(char c) { return text::is_alnum(c) || c == '-' || c == '.' || c == '_'; }

// Name or IPv4 address; an IPv6 address in brackets. False when it is none.
bool read_host(std::string_view text, Url& url) {
  if (text.starts_with('[') && text.ends_with(']')) {
    const auto address = IpAddress::from_text(text.substr(1, text.size() - 2));
    if (!address || address->is_v4()) return false;
    url.host = address->text();
    return true;
  }
  url.host = text::to_lower(text);
  return !text.empty() && text.size() <= 253 && std::ranges::all_of(text, is_host_char);
}

bool read_authority(std::string_view text, Url& url) {
  url.port = usual_port(url.scheme);
  const std::size_t colon = text.rfind(':');
  const bool has_port = colon != text.npos && !text.substr(colon).contains(']');
  if (!has_port) return read_host(text, url);
  const auto port = text::to_number<std::uint16_t>(text.substr(colon + 1));
  url.port = port.value_or(0);
  return url.port != 0 && read_host(text.substr(0, colon), url);
}

// "/path/to/socket:/path"; the socket's path has no colon.
bool read_socket(std::string_view text, Url& url) {
  const std::size_t colon = text.find(':');
  url.socket = text.substr(0, colon);
  url.host = "localhost";
  if (colon != text.npos) url.target = text.substr(colon + 1);
  return url.socket.starts_with('/') && url.socket.size() > 1 && url.target.starts_with('/');
}

}  // namespace

std::string Url::authority() const {
  std::string text = host.contains(':') ? fmt::format("[{}]", host) : host;
  if (port != 0 && port != usual_port(scheme)) text += fmt::format(":{}", port);
  return text;
}

std::string_view Url::path() const { return std::string_view(target).substr(0, target.find('?')); }

Result<Url> parse_url(std::string_view text) {
  const auto wrong = [text](std::string_view what) {
    return fail(Code::invalid, fmt::format("\"{}\" {}", text::printable(text, 200), what));
  };
  if (text.size() > url_bytes_max) return wrong("is too long for a URL");
  if (!std::ranges::all_of(text, [](char c) { return c > ' ' && c < 127; }))
    return wrong("has a character that a URL may not have");
  if (text.contains('#')) return wrong("has a fragment (#), which no server is told");
  Url url;
  const std::size_t colon = text.find("://");
  const auto scheme = text::to_lower(text.substr(0, colon));
  if (colon == text.npos || (scheme != "http" && scheme != "https" && scheme != "http+unix"))
    return wrong("is no URL: expected http://, https:// or http+unix://");
  std::string_view rest = text.substr(colon + 3);
  if (scheme == "http+unix") {
    url.scheme = Url::Scheme::http_unix;
    if (!read_socket(rest, url))
      return wrong("is not of the form http+unix:///path/to/socket:/path");
    return url;
  }
  if (scheme == "https") url.scheme = Url::Scheme::https;
  const std::size_t end = rest.find_first_of("/?");
  const std::string_view authority = rest.substr(0, end);
  if (authority.contains('@'))
    return wrong("has a user or password, which belong in a header field");
  if (!read_authority(authority, url)) return wrong("has no host and port that could be");
  if (end != rest.npos) url.target = rest.substr(end);
  if (url.target.starts_with('?')) url.target.insert(0, "/");
  return url;
}

Result<Url> requested_url(Url::Scheme scheme, std::string_view target, std::string_view host) {
  if (target.starts_with("http://") || target.starts_with("https://")) return parse_url(target);
  if (!target.starts_with('/')) return fail(Code::invalid, "the request asks for no path");
  if (host.empty() || host.find_first_of("/?@#") != host.npos)
    return fail(Code::invalid, "the request says not of which host it asks");
  const auto* const name = scheme == Url::Scheme::https ? "https" : "http";
  return parse_url(fmt::format("{}://{}{}", name, host, target));
}

}  // namespace tapal::http
