#include "rules/queue/hold_rules.h"

#include <algorithm>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "values/text/json_fields.h"

namespace tapal::queue {

namespace json = boost::json;

Result<void> check(const HoldRule& rule) {
  const auto& filter = rule.filter;
  if (filter.is_empty())
    return fail(Code::invalid, "a rule without a filter would hold all mail for good");
  if (!filter.ids.empty() || filter.older || filter.held)
    return fail(Code::invalid,
                "a rule is about what a message is, not about ids, --older or --held: `tapal queue "
                "hold` holds these");
  if (rule.note.size() > filter_text_bytes_max)
    return fail(Code::invalid,
                fmt::format("a note has at most {} characters", filter_text_bytes_max));
  return {};
}

std::string to_json(const HoldRule& rule) {
  json::object out{{"number", rule.number}, {"filter", json::parse(to_json(rule.filter))}};
  if (!rule.note.empty()) out["note"] = rule.note;
  if (rule.until) out["until"] = rule.until->time_since_epoch().count();
  return json::serialize(out);
}

Result<HoldRule> hold_rule_from_json(std::string_view text) {
  const auto object = text::parse_object(text, 4);
  const auto* filter = object ? object->if_contains("filter") : nullptr;
  if (filter == nullptr) return fail(Code::invalid, "a hold rule is a JSON object with a filter");
  HoldRule rule;
  TAPAL_TRY(rule.filter, filter_from_json(json::serialize(*filter)));
  boost::system::error_code error;
  if (const auto* number = object->if_contains("number")) {
    rule.number = number->to_number<std::uint32_t>(error);
    if (error) return fail(Code::invalid, "a hold rule's number is none");
  }
  if (const auto* note = object->if_contains("note")) {
    if (!note->is_string()) return fail(Code::invalid, "a hold rule's note is no text");
    rule.note = std::string(note->get_string());
  }
  if (const auto* until = object->if_contains("until")) {
    const auto time = until->to_number<std::int64_t>(error);
    if (error) return fail(Code::invalid, "a hold rule's end is no time");
    rule.until = WallTime(std::chrono::milliseconds(time));
  }
  return rule;
}

std::uint32_t HoldRules::next_number() const {
  return rules_.empty() ? 1 : rules_.back().number + 1;
}

void HoldRules::put(HoldRule rule) {
  const auto place = std::ranges::lower_bound(rules_, rule.number, {}, &HoldRule::number);
  rules_.insert(place, std::move(rule));
}

std::optional<HoldRule> HoldRules::take(std::uint32_t number) {
  const auto found = std::ranges::find(rules_, number, &HoldRule::number);
  if (found == rules_.end()) return {};
  auto rule = std::move(*found);
  rules_.erase(found);
  return rule;
}

std::optional<WallTime> HoldRules::next_end() const {
  std::optional<WallTime> next;
  for (const auto& rule : rules_)
    if (rule.until && (!next || *rule.until < *next)) next = rule.until;
  return next;
}

std::vector<const HoldRule*> HoldRules::holders(const Message& message,
                                                const FilterFacts& facts) const {
  std::vector<const HoldRule*> holders(message.recipients.size());
  for (const auto& rule : rules_)
    for (const auto i : matching(rule.filter, message, facts))
      if (message.recipients[i].state == State::waiting && holders[i] == nullptr)
        holders[i] = &rule;
  return holders;
}

Message HoldRules::with_held(Message message, const FilterFacts& facts) const {
  for (const auto& rule : rules_)
    for (const auto i : matching(rule.filter, message, facts))
      message.recipients[i].state = State::held;
  return message;
}

}  // namespace tapal::queue
