#include "protocols/acme/json_fields.h"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

#include "protocols/acme/problem.h"

namespace tapal::acme {

namespace json = boost::json;

namespace {

constexpr std::size_t depth_max = 16;

}  // namespace

Result<json::object> parse_object(std::string_view body) {
  if (body.size() > response_bytes_max) return fail(Code::invalid, "too long a JSON text");
  json::error_code error;
  json::parse_options options;
  options.max_depth = depth_max;
  auto parsed = json::parse(body, error, {}, options);
  if (error) return fail(Code::invalid, "not JSON: " + error.message());
  if (!parsed.is_object()) return fail(Code::invalid, "not a JSON object");
  return std::move(parsed.get_object());
}

std::string text_at(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  const auto* text = value != nullptr ? value->if_string() : nullptr;
  return text != nullptr ? std::string(text->data(), text->size()) : std::string();
}

std::vector<std::string> texts_at(const json::object& object, std::string_view key) {
  std::vector<std::string> texts;
  const auto* items = array_at(object, key);
  if (items == nullptr) return texts;
  for (const auto& item : *items) {
    if (texts.size() == texts_max) break;
    if (const auto* text = item.if_string()) texts.emplace_back(text->data(), text->size());
  }
  return texts;
}

const json::object* object_at(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value != nullptr ? value->if_object() : nullptr;
}

const json::array* array_at(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value != nullptr ? value->if_array() : nullptr;
}

bool is_true_at(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value != nullptr && value->is_bool() && value->get_bool();
}

}  // namespace tapal::acme
