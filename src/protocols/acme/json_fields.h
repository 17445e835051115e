// The fields of a JSON object as ACME uses them; what has another type counts as absent.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

#include "base/result.h"

namespace tapal::acme {

// One JSON object of bounded size and depth. Code::invalid for anything else.
Result<boost::json::object> parse_object(std::string_view body);

std::string text_at(const boost::json::object& object, std::string_view key);
// The texts of an array; at most texts_max.
std::vector<std::string> texts_at(const boost::json::object& object, std::string_view key);
const boost::json::object* object_at(const boost::json::object& object, std::string_view key);
const boost::json::array* array_at(const boost::json::object& object, std::string_view key);
bool is_true_at(const boost::json::object& object, std::string_view key);

inline constexpr std::size_t texts_max = 1'000;

}  // namespace tapal::acme
