#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "app/settings/table.h"
#include "values/text/ascii.h"
#include "values/text/idna.h"

namespace tapal::app {
namespace {

using delivery::Protocol;
using delivery::Route;
using delivery::TlsMode;

constexpr RouteField fields_of_route[] = {
    {"host", "Where the mail goes: a host name or an IP address. Needed."},
    {"port", "Its port. Default: 25, or 465 with tls = \"implicit\", or 24 with LMTP."},
    {"tls",
     "\"opportunistic\" (default; when offered), \"required\" (with a certificate that holds), "
     "\"implicit\" (TLS from the first byte, with a certificate that holds) or \"never\"."},
    {"user", "The name to log in with. Default: no login."},
    {"password_file", "A file that holds the password and nothing else. Needed with user."},
    {"protocol", "\"smtp\" (default) or \"lmtp\"."},
};

constexpr std::array<std::string_view, 4> route_tls_modes{
    "never", "opportunistic", "required", "implicit"};
constexpr std::array<std::string_view, 2> protocols{"smtp", "lmtp"};

constexpr std::string_view host_expected =
    "expected \"host:port\", such as \"smtp.example.net:587\" or \"[2001:db8::1]:25\"";

struct HostAndPort {
  std::string host;
  std::optional<std::uint16_t> port;
};

// A host name as A-labels, or an IP address, with brackets or without.
std::optional<std::string> read_host(std::string_view text) {
  if (text.starts_with('[') && text.ends_with(']')) {
    const auto address = IpAddress::from_text(text.substr(1, text.size() - 2));
    return address ? std::optional(address->text()) : std::nullopt;
  }
  if (const auto address = IpAddress::from_text(text)) return address->text();
  auto name = text::domain_to_ascii(text);
  if (!name) return {};
  return *std::move(name);
}

std::optional<HostAndPort> read_host_and_port(std::string_view text) {
  if (auto host = read_host(text)) return HostAndPort{*std::move(host), {}};
  const std::size_t colon = text.rfind(':');
  if (colon == text.npos) return {};
  const auto port = text::to_number<std::uint16_t>(text.substr(colon + 1));
  auto host = read_host(text.substr(0, colon));
  if (!host || !port || *port == 0) return {};
  // "2001:db8::1:25" could mean two things: with a port, IPv6 needs its brackets.
  if (host->contains(':') && !text.starts_with('[')) return {};
  return HostAndPort{*std::move(host), port};
}

// "example.com", "*.example.com" or "*", as A-labels.
std::optional<std::string> read_key(std::string_view key) {
  if (key == "*") return "*";
  const bool wild = key.starts_with("*.");
  auto domain = text::domain_to_ascii(wild ? key.substr(2) : key);
  if (!domain) return {};
  return wild ? "*." + *domain : *domain;
}

const std::string* text_of(const TomlEntry& entry) {
  const auto* scalar = std::get_if<TomlScalar>(&entry.value);
  return scalar ? std::get_if<std::string>(&scalar->value) : nullptr;
}

bool is_this_machine(const std::string& host) {
  const auto address = IpAddress::from_text(host);
  return host == "localhost" || (address && address->is_loopback());
}

}  // namespace

std::span<const RouteField> route_fields() { return fields_of_route; }

void RouteReader::problem(const TomlEntry& entry, std::string_view what) {
  problems_.push_back({entry.place, fmt::format("{}: {}", toml_path_text(entry.path), what)});
  const auto domain = entry.path.size() > 1 ? read_key(entry.path[1]) : std::nullopt;
  const auto seen = domain ? seen_.find(*domain) : seen_.end();
  if (seen != seen_.end()) seen->second.has_problem = true;
}

void RouteReader::read(const TomlEntry& entry, Settings& settings) {
  const bool is_empty_table = std::holds_alternative<TomlEmptyTable>(entry.value);
  if (entry.path.size() == 1) {
    if (!is_empty_table) problem(entry, "expected a table: [routes], and a line a domain below it");
    return;
  }
  const std::string& written = entry.path[1];
  const auto domain = read_key(written);
  if (!domain) return problem(entry, "expected a domain, \"*.domain\" or \"*\" as the key");
  const auto [seen, is_new] = seen_.try_emplace(*domain, Seen{written, entry.place});
  if (!is_new && seen->second.written != written) {
    return problem(entry,
                   fmt::format("this is the same domain as {} in line {}",
                               toml_quoted(seen->second.written),
                               seen->second.place.line));
  }
  Route& route = settings.delivery.routes[*domain];
  if (entry.path.size() == 2 && !is_empty_table) return read_text(entry, route, seen->second);
  if (entry.path.size() == 3) return read_field(entry, settings, *domain);
  if (entry.path.size() > 3)
    problem(entry,
            "a route has no tables in it; a domain stands in quotes: "
            "[routes.\"example.com\"]");
}

void RouteReader::read_text(const TomlEntry& entry, Route& route, Seen& seen) {
  const std::string* text = text_of(entry);
  auto place = text ? read_host_and_port(*text) : std::nullopt;
  if (!place) {
    return problem(entry, fmt::format("{}, or a table with host, port and tls", host_expected));
  }
  route.host = std::move(place->host);
  seen.has_port = place->port.has_value();
  route.port = place->port.value_or(route.port);
}

void RouteReader::read_field(const TomlEntry& entry,
                             Settings& settings,
                             const std::string& domain) {
  Route& route = settings.delivery.routes[domain];
  const std::string& field = entry.path[2];
  if (field == "host" || field == "port") return read_place(entry, route, seen_.at(domain));
  if (field == "tls" || field == "protocol") return read_manner(entry, route);
  if (field == "user" || field.starts_with("password")) return read_login(entry, settings, domain);
  problem(entry,
          "a route has host, port, tls, user, password_file and protocol; a domain stands "
          "in quotes: [routes.\"example.com\"]");
}

// host, port
void RouteReader::read_place(const TomlEntry& entry, Route& route, Seen& seen) {
  if (entry.path[2] == "host") {
    const std::string* text = text_of(entry);
    auto host = text ? read_host(*text) : std::nullopt;
    if (!host)
      return problem(entry, "expected a host name or an IP address; the port goes into port");
    route.host = *std::move(host);
    return;
  }
  const auto* scalar = std::get_if<TomlScalar>(&entry.value);
  const auto* number = scalar ? std::get_if<std::int64_t>(&scalar->value) : nullptr;
  if (!number || *number < 1 || *number > 65535)
    return problem(entry, "expected a port from 1 to 65535");
  route.port = static_cast<std::uint16_t>(*number);
  seen.has_port = true;
}

// tls, protocol
void RouteReader::read_manner(const TomlEntry& entry, Route& route) {
  const std::string* text = text_of(entry);
  const std::string_view chosen = text ? std::string_view(*text) : std::string_view();
  if (entry.path[2] == "tls") {
    const auto* const mode = std::ranges::find(route_tls_modes, chosen);
    if (mode == route_tls_modes.end())
      return problem(entry, R"(expected "opportunistic", "required", "implicit" or "never")");
    route.tls = static_cast<TlsMode>(mode - route_tls_modes.begin());
    return;
  }
  const auto* const protocol = std::ranges::find(protocols, chosen);
  if (protocol == protocols.end()) return problem(entry, R"(expected "smtp" or "lmtp")");
  route.protocol = static_cast<Protocol>(protocol - protocols.begin());
}

// user, password_file, and what people try in its place
void RouteReader::read_login(const TomlEntry& entry,
                             Settings& settings,
                             const std::string& domain) {
  const std::string& field = entry.path[2];
  const std::string* text = text_of(entry);
  const bool is_set = text && !text->empty();
  if (field == "user") {
    if (!is_set) return problem(entry, "expected a name in quotes");
    settings.delivery.routes[domain].user = *text;
  } else if (field == "password_file") {
    if (!is_set) return problem(entry, "expected a path in quotes");
    settings.route_password_files[domain] = *text;
  } else {
    problem(entry,
            "a password does not stand in this file: put it into a file of its own and "
            "name that as password_file");
  }
}

std::vector<TomlProblem> RouteReader::finish(Settings& settings) {
  for (auto& [domain, seen] : seen_) {
    Route& route = settings.delivery.routes[domain];
    const bool has_password = settings.route_password_files.contains(domain);
    const auto complain = [&](std::string_view what) {
      problems_.push_back(
          {seen.place, fmt::format("{}: {}", toml_path_text({"routes", seen.written}), what)});
    };
    if (route.host.empty() && !seen.has_problem) complain("a route needs a host");
    if (!route.user.empty() && !has_password) complain("user needs a password_file");
    if (route.user.empty() && has_password) complain("password_file needs a user");
    if (!route.user.empty() && route.tls == TlsMode::never && !is_this_machine(route.host))
      complain("a password is not sent in clear text: tls = \"never\" and user exclude each other");
    if (seen.has_port) continue;
    if (route.protocol == Protocol::lmtp) route.port = 24;
    if (route.tls == TlsMode::implicit) route.port = 465;
  }
  return std::move(problems_);
}

}  // namespace tapal::app
