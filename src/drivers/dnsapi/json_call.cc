#include "drivers/dnsapi/json_call.h"

#include <utility>

namespace tapal::dnsapi {
namespace {

constexpr std::size_t depth_max = 32;

}  // namespace

ApiCall json_call(std::string method, std::string target, const json::value& body) {
  ApiCall call;
  call.method = std::move(method);
  call.target = std::move(target);
  call.headers.push_back({"Content-Type", "application/json"});
  call.body = json::serialize(body);
  return call;
}

Task<Result<json::value>> send_json(ApiClient& api, Loop& loop, ApiCall call) {
  call.headers.push_back({"Accept", "application/json"});
  TAPAL_CO_TRY(const auto response, co_await api.send(loop, std::move(call)));
  if (response.body.empty()) co_return json::value(nullptr);
  auto value = read_json(response.body);
  if (!value) co_return api.fail(Code::try_later, "its answer is not JSON");
  co_return std::move(*value);
}

std::optional<json::value> read_json(std::string_view text) {
  json::parse_options options;
  options.max_depth = depth_max;
  json::error_code error;
  auto value = json::parse(text, error, {}, options);
  if (error) return std::nullopt;
  return value;
}

const json::value& value_at(const json::value& value, std::string_view key) {
  static const json::value nothing;
  const auto* object = value.if_object();
  const auto* found = object != nullptr ? object->if_contains(key) : nullptr;
  return found != nullptr ? *found : nothing;
}

std::string text_at(const json::value& value, std::string_view key) {
  const auto& found = value_at(value, key);
  if (const auto* text = found.if_string()) return {text->data(), text->size()};
  return found.is_int64() || found.is_uint64() ? json::serialize(found) : std::string();
}

std::int64_t number_at(const json::value& value, std::string_view key) {
  json::error_code error;
  const auto number = value_at(value, key).to_number<std::int64_t>(error);
  return error ? 0 : number;
}

const json::array& array_of(const json::value& value) {
  static const json::array nothing;
  const auto* array = value.if_array();
  return array != nullptr ? *array : nothing;
}

const json::array& array_at(const json::value& value, std::string_view key) {
  return array_of(value_at(value, key));
}

}  // namespace tapal::dnsapi
