// How every part of the control socket says no.
#pragma once

#include <string_view>

#include <boost/json/object.hpp>

namespace tapal::api {

inline boost::json::object refused(std::string_view error) {
  return {{"ok", false}, {"error", error}};
}

}  // namespace tapal::api
