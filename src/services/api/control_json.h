// What the parts of the control socket share: members of a request, and the refusal.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>

namespace tapal::api {

inline boost::json::object refused(std::string_view error) {
  return {{"ok", false}, {"error", error}};
}

// Empty, `otherwise` or false where the request has no such member, or one of another type.
inline std::string text_of(const boost::json::object& request, std::string_view name) {
  const auto* value = request.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}
inline std::int64_t number_of(const boost::json::object& request,
                              std::string_view name,
                              std::int64_t otherwise) {
  const auto* value = request.if_contains(name);
  return value != nullptr && value->is_int64() ? value->get_int64() : otherwise;
}
inline bool flag_of(const boost::json::object& request, std::string_view name) {
  const auto* value = request.if_contains(name);
  return value != nullptr && value->is_bool() && value->get_bool();
}

}  // namespace tapal::api
