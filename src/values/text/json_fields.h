// A JSON object from outside, and its members by name. A member of another type than asked for
// counts as absent. Sources: RFC 8259; Boost.JSON reads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "base/result.h"

namespace tapal::text {

// Code::invalid when the text is no JSON object, or one that nests deeper. The caller bounds the
// text.
Result<boost::json::object> parse_object(std::string_view text, std::size_t depth_max = 16);

std::string text_at(const boost::json::object& object, std::string_view name);  // empty: absent
std::optional<std::int64_t> number_at(const boost::json::object& object, std::string_view name);
std::optional<bool> flag_at(const boost::json::object& object, std::string_view name);
const boost::json::object* object_at(const boost::json::object& object,
                                     std::string_view name);  // null: absent
const boost::json::array* array_at(const boost::json::object& object,
                                   std::string_view name);  // null: absent
// The texts of an array, at most so many; empty: absent.
std::vector<std::string> texts_at(const boost::json::object& object,
                                  std::string_view name,
                                  std::size_t texts_max = 1'000);

}  // namespace tapal::text
