#include "app/config/relay_route.h"

#include <fmt/format.h>

#include "values/text/toml.h"

namespace tapal::app {

std::string relay_route(const Relay& relay) {
  constexpr std::string_view port_default = "587";
  const std::string_view place = relay.host;
  const auto colon = place.ends_with(']') ? place.npos : place.rfind(':');
  const auto port = colon == place.npos ? port_default : place.substr(colon + 1);
  auto route =
      fmt::format("{{ host = {}, port = {}", text::toml_quoted(place.substr(0, colon)), port);
  if (port == "465")
    route += R"(, tls = "implicit")";
  else if (!relay.user.empty())
    route += R"(, tls = "required")";
  if (!relay.user.empty())
    route += fmt::format(", user = {}, password_file = {}",
                         text::toml_quoted(relay.user),
                         text::toml_quoted(relay.password_file));
  return route + " }";
}

std::string kept_name(std::string_view credentials) {
  return fmt::format("credentials/{}", credentials);
}

}  // namespace tapal::app
