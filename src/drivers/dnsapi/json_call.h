// Calls whose bodies are JSON, and reading what comes back without trusting its shape.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <boost/json.hpp>

#include "base/result.h"
#include "base/task.h"
#include "drivers/dnsapi/api_client.h"

namespace tapal::dnsapi {

namespace json = boost::json;

ApiCall json_call(std::string method, std::string target, const json::value& body);

// The response's value; null where it has no body (204).
Task<Result<json::value>> send_json(ApiClient& api, Loop& loop, ApiCall call);

// Nothing when the text is not JSON, or nested too deep.
std::optional<json::value> read_json(std::string_view text);

// What is not there, or of another kind, reads as empty.
std::string text_at(const json::value& value, std::string_view key);  // numbers as decimal text
std::int64_t number_at(const json::value& value, std::string_view key);
const json::value& value_at(const json::value& value, std::string_view key);  // null
const json::array& array_at(const json::value& value, std::string_view key);
const json::array& array_of(const json::value& value);

}  // namespace tapal::dnsapi
