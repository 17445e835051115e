#include "app/commands/queue_listing.h"

#include <algorithm>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "app/cli/control_client.h"
#include "rules/queue/message.h"
#include "values/text/date.h"
#include "values/text/json_fields.h"

namespace tapal::app {

namespace json = boost::json;

namespace {

std::string_view state_text(queue::State state) {
  switch (state) {
    case queue::State::waiting: return "waiting";
    case queue::State::held: return "held";
    case queue::State::delivered: return "delivered";
    case queue::State::failed: break;
  }
  return "failed";
}

void print_row(const json::object& listed) {
  const auto message = queue::message_from_json(json::serialize(listed));
  const auto& matching = listed.at("matching").as_array();
  if (!message || message->recipients.empty() || matching.empty()) return;
  const auto first = std::ranges::find_if(message->recipients, [&](const auto& state) {
    return state.recipient.address.text() == matching.front().as_string();
  });
  if (first == message->recipients.end()) return;
  const auto more =
      matching.size() > 1 ? fmt::format(" and {} more", matching.size() - 1) : std::string();
  const auto& return_path = message->envelope.return_path;
  fmt::print("{}  {:>9}  {}  {:<9}  <{}> -> <{}>{}\n",
             message->id.text(),
             message->body_bytes,
             text::rfc3339_date(message->arrived),
             state_text(first->state),
             return_path ? return_path->text() : "",
             first->recipient.address.text(),
             more);
}

}  // namespace

void print_queue_list(const json::object& answer) {
  for (const auto& each : answer.at("messages").as_array()) {
    const auto& message = each.as_object();
    print_row(message);
    if (const auto why = text::text_at(message, "why"); !why.empty()) fmt::print("    {}\n", why);
  }
}

}  // namespace tapal::app
