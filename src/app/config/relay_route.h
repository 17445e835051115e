// The server that all mail to others goes through, as the settings have it.
#pragma once

#include <string>
#include <string_view>

namespace tapal::app {

inline constexpr std::string_view relay_setting = R"(routes."*")";

struct Relay {
  std::string host;           // "smtp.example.net:587"; without a port: 587
  std::string user;           // empty: no login
  std::string password_file;  // of a user
};

// As it stands below [routes]. Who takes passwords takes them under TLS alone.
std::string relay_route(const Relay& relay);

// Where a copy of somebody's credentials is kept, from the configuration folder on.
std::string kept_name(std::string_view credentials);

}  // namespace tapal::app
