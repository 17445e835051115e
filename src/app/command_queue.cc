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

int run_queue_list(const CommonOptions& common, std::int64_t limit) {
  const auto answer = ask_and_tell(common, {{"command", "queue list"}, {"limit", limit}});
  if (!answer) return answer.error();
  if (common.output == Output::json) return exit_done;
  for (const auto& message : answer->at("messages").as_array()) print_row(message);
  fmt::print("{} messages in the queue\n", json::serialize(answer->at("total")));
  return exit_done;
}

int run_queue_show(const CommonOptions& common, const std::string& id) {
  const auto answer = ask_and_tell(common, {{"command", "queue show"}, {"id", id}});
  if (!answer) return answer.error();
  if (common.output == Output::text)
    fmt::print("{}\n{}\n", text_at(*answer, "why"), json::serialize(answer->at("message")));
  return exit_done;
}

int run_queue_order(const CommonOptions& common, const std::string& order, const std::string& id) {
  const auto answer = ask_and_tell(common, {{"command", "queue " + order}, {"id", id}});
  if (!answer) return answer.error();
  if (common.output == Output::text)
    fmt::print("{}: {} messages\n", order, json::serialize(answer->at("messages")));
  return exit_done;
}

int run_why(const CommonOptions& common, const std::string& what) {
  const auto answer = ask_and_tell(common, {{"command", "why"}, {"what", what}});
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
  const auto answer = ask_and_tell(common, {{"command", "reload"}});
  if (!answer) return answer.error();
  if (common.output == Output::text) fmt::print("configuration reloaded\n");
  return exit_done;
}

}  // namespace

void declare_queue(const Command& tapal) {
  const auto queue = tapal.add_group("queue", "what waits to be delivered", "queue list");
  const auto list = queue.add("list", "list messages, oldest first", "queue list --limit 20");
  auto limit = std::make_shared<std::int64_t>(1000);
  list.number({"--limit", "at most this many; default 1000"}, {}, *limit);
  list.runs([limit](const auto& common) { return run_queue_list(common, *limit); });

  const auto show = queue.add("show", "everything about one message", "queue show 01ABCDEFGHJKM");
  auto shown = std::make_shared<std::string>();
  show.text({"id", "its queue id", true}, *shown);
  show.runs([shown](const auto& common) { return run_queue_show(common, *shown); });

  for (const auto& [order, help] : {std::pair{"retry", "try again now"},
                                    std::pair{"hold", "keep back until released"},
                                    std::pair{"release", "let a held message go on"},
                                    std::pair{"drop", "remove a message; nobody is told"}}) {
    const auto command = queue.add(order, help, fmt::format("queue {} 01ABCDEFGHJKM", order));
    auto id = std::make_shared<std::string>();
    command.text({"id", "its queue id, or: all", true}, *id);
    command.runs([id, name = std::string(order)](const auto& common) {
      return run_queue_order(common, name, *id);
    });
  }

  const auto why = tapal.add("why", "why a message waits, in one paragraph", "why ann@example.com");
  auto what = std::make_shared<std::string>();
  why.text({"what", "a queue id, or an address of a sender or recipient", true}, *what);
  why.runs([what](const auto& common) { return run_why(common, *what); });

  tapal.add("reload", "make the running server read its configuration again", "reload")
      .runs(&run_reload);
}

}  // namespace tapal::app
