#include "app/mail/message_trail.h"

#include <boost/json.hpp>

namespace tapal::app {

namespace json = boost::json;

namespace {

constexpr std::chrono::seconds answer_patience{10};
constexpr std::chrono::seconds one_wait{5};

bool is_end(const api::SeenEvent& seen) {
  return seen.event == "message delivered" || seen.event == "message failed";
}

Result<std::vector<api::SeenEvent>> read_events(std::string_view answer) {
  boost::system::error_code error;
  const auto parsed = json::parse(answer, error, {}, {.allow_invalid_utf8 = true});
  const auto* events = parsed.is_object() ? parsed.get_object().if_contains("events") : nullptr;
  if (error || events == nullptr || !events->is_array())
    return fail(Code::invalid, "the server does not know how to follow a message: restart it");
  std::vector<api::SeenEvent> seen;
  for (const auto& each : events->get_array()) {
    api::SeenEvent event;
    for (const auto& [name, value] : each.as_object()) {
      const std::string text(value.as_string());
      if (name == "event")
        event.event = text;
      else
        event.fields.emplace_back(name, text);
    }
    seen.push_back(std::move(event));
  }
  return seen;
}

}  // namespace

Task<Result<MessageTrail>> MessageTrail::begin(NetLoop& loop,
                                               std::filesystem::path control_socket) {
  TAPAL_CO_TRY(auto server, co_await ControlConnection::open(loop, std::move(control_socket)));
  TAPAL_CO_CHECK(co_await server.ask(R"({"command":"follow"})", answer_patience));
  co_return MessageTrail(loop, std::move(server));
}

Task<Result<std::vector<api::SeenEvent>>> MessageTrail::to_its_end(std::string queue_id,
                                                                   std::chrono::seconds patience) {
  const auto end = loop_->now() + patience;
  const json::object request{
      {"command", "events"}, {"queue_id", queue_id}, {"seconds", one_wait.count()}};
  const auto question = json::serialize(request);
  std::vector<api::SeenEvent> all;
  while (loop_->now() < end) {
    TAPAL_CO_TRY(const auto answer, co_await server_.ask(question, one_wait + answer_patience));
    TAPAL_CO_TRY(auto seen, read_events(answer));
    const bool has_ended = std::ranges::any_of(seen, &is_end);
    std::ranges::move(seen, std::back_inserter(all));
    if (has_ended) break;
  }
  co_return all;
}

std::string queue_id_of(std::string_view reply) {
  constexpr std::string_view before = "queued as ";
  const auto at = reply.find(before);
  if (at == std::string_view::npos) return {};
  const auto id = reply.substr(at + before.size());
  return std::string(id.substr(0, id.find(' ')));
}

}  // namespace tapal::app
