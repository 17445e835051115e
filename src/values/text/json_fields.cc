#include "values/text/json_fields.h"

#include <boost/json/parse.hpp>

namespace tapal::text {

namespace json = boost::json;

Result<json::object> parse_object(std::string_view text, std::size_t depth_max) {
  json::error_code error;
  json::parse_options options;
  options.max_depth = depth_max;
  auto parsed = json::parse(text, error, {}, options);
  if (error) return fail(Code::invalid, "not JSON: " + error.message());
  if (!parsed.is_object()) return fail(Code::invalid, "not a JSON object");
  return std::move(parsed.get_object());
}

std::string text_at(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  const auto* text = value != nullptr ? value->if_string() : nullptr;
  return text != nullptr ? std::string(text->data(), text->size()) : std::string();
}

std::optional<std::int64_t> number_at(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  const auto* number = value != nullptr ? value->if_int64() : nullptr;
  return number != nullptr ? std::optional(*number) : std::nullopt;
}

std::optional<bool> flag_at(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  const auto* flag = value != nullptr ? value->if_bool() : nullptr;
  return flag != nullptr ? std::optional(*flag) : std::nullopt;
}

const json::object* object_at(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  return value != nullptr ? value->if_object() : nullptr;
}

const json::array* array_at(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  return value != nullptr ? value->if_array() : nullptr;
}

std::vector<std::string> texts_at(const json::object& object,
                                  std::string_view name,
                                  std::size_t texts_max) {
  std::vector<std::string> texts;
  const auto* items = array_at(object, name);
  if (items == nullptr) return texts;
  for (const auto& item : *items) {
    if (texts.size() == texts_max) break;
    if (const auto* text = item.if_string()) texts.emplace_back(text->data(), text->size());
  }
  return texts;
}

}  // namespace tapal::text
