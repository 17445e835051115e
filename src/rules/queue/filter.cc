#include "rules/queue/filter.h"

#include <algorithm>
#include <array>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "rules/queue/message_life.h"
#include "values/text/ascii.h"
#include "values/text/duration.h"
#include "values/text/json_fields.h"

namespace tapal::queue {
namespace {

namespace json = boost::json;

constexpr std::string_view no_sender = "<>";

std::string_view without_dot(std::string_view domain) {
  return domain.starts_with('.') ? domain.substr(1) : domain;
}

// In the form that addresses have it, so that IDN and upper case make no difference.
Result<std::string> read_domain(std::string_view text) {
  TAPAL_TRY(const auto address, mail::make_address("x", without_dot(text)));
  return (text.starts_with('.') ? "." : "") + address.domain;
}

Result<std::string> read_address(std::string_view text) {
  TAPAL_TRY(const auto address, mail::parse_address(text));
  return address.text();
}

Result<std::string> read_sender(std::string_view text) {
  if (text == no_sender) return std::string(text);
  return text.contains('@') ? read_address(text) : read_domain(text);
}

Result<std::string> read_lower(std::string_view text) { return text::to_lower(text); }

struct TextField {
  std::string_view name;
  std::string Filter::* member;
  Result<std::string> (*read)(std::string_view);
};
constexpr std::array text_fields{TextField{"domain", &Filter::domain, read_domain},
                                 TextField{"recipient", &Filter::recipient, read_address},
                                 TextField{"sender", &Filter::sender, read_sender},
                                 TextField{"user", &Filter::user, read_lower},
                                 TextField{"site", &Filter::site, read_lower},
                                 TextField{"reason", &Filter::reason, read_lower}};

bool is_domain(std::string_view wanted, std::string_view domain) {
  return wanted.starts_with('.') ? domain.ends_with(wanted) : domain == wanted;
}

bool is_address(std::string_view wanted, const mail::Address& address) {
  return text::equals_ignoring_case(wanted, address.text());
}

bool is_sender(std::string_view wanted, const std::optional<mail::Address>& sender) {
  if (!sender) return wanted == no_sender;
  return wanted.contains('@') ? is_address(wanted, *sender) : is_domain(wanted, sender->domain);
}

bool is_reason(std::string_view wanted, const Outcome& last, const FilterFacts& facts) {
  if (last.text.empty()) return false;
  return last.status.starts_with(wanted) || text::to_lower(last.text).contains(wanted) ||
         (facts.category_of && facts.category_of(last) == wanted);
}

bool concerns(const Filter& filter, const Message& message, const FilterFacts& facts) {
  if (!filter.ids.empty() && !std::ranges::binary_search(filter.ids, message.id)) return false;
  if (!filter.sender.empty() && !is_sender(filter.sender, message.envelope.return_path))
    return false;
  if (!filter.user.empty() && !text::equals_ignoring_case(filter.user, message.origin.user))
    return false;
  return !filter.older || facts.now - message.arrived > *filter.older;
}

bool concerns(const Filter& filter,
              const RecipientState& state,
              Origin::Kind origin,
              const FilterFacts& facts) {
  const auto& address = state.recipient.address;
  if (has_ended(state) || (filter.held && state.state != State::held)) return false;
  if (!filter.domain.empty() && !is_domain(filter.domain, address.domain)) return false;
  if (!filter.recipient.empty() && !is_address(filter.recipient, address)) return false;
  if (!filter.reason.empty() && !is_reason(filter.reason, state.last, facts)) return false;
  return filter.site.empty() ||
         (facts.site_of &&
          text::equals_ignoring_case(filter.site, facts.site_of(state.recipient, origin)));
}

Result<std::string> read_text(const json::value& value) {
  const auto* text = value.if_string();
  if (text == nullptr || text->empty() || text->size() > filter_text_bytes_max)
    return fail(Code::invalid,
                fmt::format("is no text of 1 to {} characters", filter_text_bytes_max));
  return std::string(*text);
}

Result<std::vector<QueueId>> read_ids(const json::value& value) {
  const auto* list = value.if_array();
  if (list == nullptr || list->empty() || list->size() > filter_ids_max)
    return fail(Code::invalid, fmt::format("are not 1 to {} of them", filter_ids_max));
  std::vector<QueueId> ids;
  for (const auto& each : *list) {
    const auto* text = each.if_string();
    const auto id = text == nullptr ? std::nullopt : QueueId::from_text(*text);
    if (!id)
      return fail(Code::invalid,
                  "hold what is none: a queue id has 13 characters, as `tapal queue list` shows "
                  "them");
    ids.push_back(*id);
  }
  std::ranges::sort(ids);
  const auto twice = std::ranges::unique(ids);
  ids.erase(twice.begin(), twice.end());
  return ids;
}

Result<void> read_member(std::string_view name, const json::value& value, Filter& into) {
  if (name == "held") {
    if (!value.is_bool()) return fail(Code::invalid, "is neither true nor false");
    into.held = value.get_bool();
    return {};
  }
  if (name == "ids") {
    TAPAL_TRY(into.ids, read_ids(value));
    return {};
  }
  const auto* const field = std::ranges::find(text_fields, name, &TextField::name);
  if (field == text_fields.end() && name != "older")
    return fail(Code::invalid, "is nothing to filter by");
  TAPAL_TRY(const auto text, read_text(value));
  if (field == text_fields.end()) {
    TAPAL_TRY(into.older, text::parse_duration(text));
    return {};
  }
  TAPAL_TRY(into.*field->member, field->read(text));
  return {};
}

}  // namespace

std::vector<std::uint32_t> matching(const Filter& filter,
                                    const Message& message,
                                    const FilterFacts& facts) {
  std::vector<std::uint32_t> found;
  if (!concerns(filter, message, facts)) return found;
  for (std::uint32_t i = 0; i < message.recipients.size(); ++i)
    if (concerns(filter, message.recipients[i], message.origin.kind, facts)) found.push_back(i);
  return found;
}

std::string to_json(const Filter& filter) {
  json::object out;
  if (!filter.ids.empty()) {
    auto& ids = out["ids"].emplace_array();
    for (const auto id : filter.ids) ids.emplace_back(id.text());
  }
  for (const auto& field : text_fields)
    if (const auto& text = filter.*field.member; !text.empty()) out[field.name] = text;
  if (filter.older) out["older"] = text::duration_text(*filter.older);
  if (filter.held) out["held"] = true;
  return json::serialize(out);
}

Result<Filter> filter_from_json(std::string_view text) {
  const auto object = text::parse_object(text, 4);
  if (!object) return fail(Code::invalid, "a filter is one JSON object");
  Filter filter;
  for (const auto& [name, member] : *object) {
    if (auto read = read_member(name, member, filter); !read)
      return fail(Code::invalid,
                  fmt::format("the filter's \"{}\": {}", text::printable(name), read.error().what));
  }
  return filter;
}

std::string text_of(const Filter& filter) {
  std::string out;
  const auto say = [&out](std::string_view name, std::string_view value) {
    out += fmt::format("{}--{}{}{}", out.empty() ? "" : " ", name, value.empty() ? "" : " ", value);
  };
  for (const auto id : filter.ids) out += (out.empty() ? "" : " ") + id.text();
  for (const auto& field : text_fields)
    if (const auto& text = filter.*field.member; !text.empty()) say(field.name, text);
  if (filter.older) say("older", text::duration_text(*filter.older));
  if (filter.held) say("held", {});
  return out;
}

}  // namespace tapal::queue
