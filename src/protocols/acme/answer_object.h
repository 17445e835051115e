// What an ACME server answers: one JSON object (RFC 8555 section 6).
#pragma once

#include <string_view>

#include <boost/json/object.hpp>

#include "base/result.h"

namespace tapal::acme {

// Code::invalid for anything else, and over response_bytes_max.
Result<boost::json::object> answer_object(std::string_view body);

}  // namespace tapal::acme
