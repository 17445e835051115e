#include <boost/json.hpp>
#include <fmt/format.h>

#include "app/commands.h"
#include "app/control_client.h"
#include "app/settings.h"
#include "rules/queue/message.h"
#include "values/text/date.h"

namespace tapal::app {

namespace json = boost::json;

namespace {

// The server's answer, or an exit code with the reason already told.
std::expected<json::object, int> ask(const CommonOptions& common, const json::object& request) {
  const auto settings = load_settings(common.config);
  if (!settings) {
    fmt::print(stderr, "tapal: {}\n", settings.error().what);
    return std::unexpected(exit_failed);
  }
  const auto answer = ask_server(settings->control_socket(), json::serialize(request));
  if (!answer) {
    fmt::print(stderr, "tapal: {}\n", answer.error().what);
    return std::unexpected(answer.error().code == Code::not_found ? exit_no_server : exit_failed);
  }
  auto object = json::parse(*answer, {}, {.allow_invalid_utf8 = true}).as_object();
  if (common.output == Output::json) fmt::print("{}\n", json::serialize(object));
  if (!object.at("ok").as_bool()) {
    if (common.output == Output::text)
      fmt::print(stderr, "tapal: {}\n", object.at("error").as_string().c_str());
    return std::unexpected(exit_failed);
  }
  return object;
}

std::string text_at(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::string_view state_text(queue::State state) {
  switch (state) {
    case queue::State::waiting: return "waiting";
    case queue::State::held: return "held";
    case queue::State::delivered: return "delivered";
    case queue::State::failed: break;
  }
  return "failed";
}

void print_row(const json::value& record) {
  const auto message = queue::message_from_json(json::serialize(record));
  if (!message || message->recipients.empty()) return;
  const auto& first = message->recipients.front();
  const auto more = message->recipients.size() > 1
                        ? fmt::format(" and {} more", message->recipients.size() - 1)
                        : std::string();
  const auto& return_path = message->envelope.return_path;
  fmt::print("{}  {:>9}  {}  {:<9}  <{}> -> <{}>{}\n",
             message->id.text(),
             message->body_bytes,
             text::rfc3339_date(message->arrived),
             state_text(first.state),
             return_path ? return_path->text() : "",
             first.recipient.address.text(),
             more);
}

}  // namespace

int run_queue_list(const CommonOptions& common, std::int64_t limit) {
  const auto answer = ask(common, {{"command", "queue list"}, {"limit", limit}});
  if (!answer) return answer.error();
  if (common.output == Output::json) return exit_done;
  for (const auto& message : answer->at("messages").as_array()) print_row(message);
  fmt::print("{} messages in the queue\n", json::serialize(answer->at("total")));
  return exit_done;
}

int run_queue_show(const CommonOptions& common, const std::string& id) {
  const auto answer = ask(common, {{"command", "queue show"}, {"id", id}});
  if (!answer) return answer.error();
  if (common.output == Output::text)
    fmt::print("{}\n{}\n", text_at(*answer, "why"), json::serialize(answer->at("message")));
  return exit_done;
}

int run_queue_order(const CommonOptions& common, const std::string& order, const std::string& id) {
  const auto answer = ask(common, {{"command", "queue " + order}, {"id", id}});
  if (!answer) return answer.error();
  if (common.output == Output::text)
    fmt::print("{}: {} messages\n", order, json::serialize(answer->at("messages")));
  return exit_done;
}

int run_why(const CommonOptions& common, const std::string& what) {
  const auto answer = ask(common, {{"command", "why"}, {"what", what}});
  if (!answer) return answer.error();
  const auto& found = answer->at("why").as_array();
  if (common.output == Output::text) {
    for (const auto& paragraph : found) fmt::print("{}\n", paragraph.as_string().c_str());
    if (found.empty())
      fmt::print(
          "Nothing in the queue for {}: it was delivered, refused or returned, or was never "
          "accepted here; "
          "the log tells which.\n",
          what);
  }
  return found.empty() ? exit_failed : exit_done;
}

int run_reload(const CommonOptions& common) {
  const auto answer = ask(common, {{"command", "reload"}});
  if (!answer) return answer.error();
  if (common.output == Output::text) fmt::print("configuration reloaded\n");
  return exit_done;
}

}  // namespace tapal::app
