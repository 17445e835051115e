#include "services/api/order_requests.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "services/api/control.h"
#include "services/api/queue_requests.h"
#include "services/api/refusal.h"
#include "values/text/date.h"
#include "values/text/json_fields.h"
#include "values/text/utf8.h"

namespace tapal::api {

namespace json = boost::json;

namespace {

using Kind = queue::Order::Kind;

constexpr std::array<std::pair<std::string_view, Kind>, 6> kinds{{{"queue retry", Kind::retry},
                                                                  {"queue hold", Kind::hold},
                                                                  {"queue release", Kind::release},
                                                                  {"queue drop", Kind::drop},
                                                                  {"queue bounce", Kind::bounce},
                                                                  {"queue move", Kind::move}}};
constexpr std::string_view bounce_text_default = "the postmaster has given it up";
constexpr std::string_view usual_route = "usual";

// What people say is shown again, in notices too.
Result<std::string> line_of(const json::object& request, std::string_view name) {
  auto text = text::text_at(request, name);
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (text.size() > queue::order_text_bytes_max || !text::is_valid_utf8(text) ||
      std::ranges::any_of(text, is_control))
    return fail(
        Code::invalid,
        fmt::format(
            "the {} is not one line of at most {} characters", name, queue::order_text_bytes_max));
  return text;
}

Result<queue::Order> order_of(Kind kind, const json::object& request) {
  queue::Order order{.kind = kind, .text = {}, .route = {}};
  if (kind == Kind::bounce) {
    TAPAL_TRY(order.text, line_of(request, "text"));
    if (order.text.empty()) order.text = bounce_text_default;
  }
  if (kind == Kind::move) {
    auto target = text::text_at(request, "route");
    if (target.empty())
      return fail(Code::invalid, "a move has a route: a host, host:port, or \"usual\"");
    if (target != usual_route) order.route = {mail::Handover::Kind::host, std::move(target), {}};
  }
  return order;
}

Result<queue::Filter> ordered_filter(Kind kind, const json::object& request) {
  TAPAL_TRY(auto filter, filter_of(request));
  if (queue::destroys(kind) && filter.is_empty() && !text::flag_at(request, "all").value_or(false))
    return fail(Code::invalid,
                "without a filter this would end every message in the queue: name some, or say "
                "--all");
  return filter;
}

Task<json::object> give(ControlWorld& world, Kind kind, const json::object& request) {
  auto order = order_of(kind, request);
  if (!order) co_return refused(order.error().what);
  auto filter = ordered_filter(kind, request);
  if (!filter) co_return refused(filter.error().what);
  const auto done = co_await world.dispatcher.order(*std::move(order), *std::move(filter));
  if (!done)
    co_return refused(done.error().code == Code::not_found ? "no such message in the queue"
                                                           : done.error().what);
  co_return json::object{{"ok", true},
                         {"messages", done->messages},
                         {"recipients", done->recipients},
                         {"under_way", done->under_way}};
}

Result<queue::HoldRule> rule_of(const json::object& request, WallTime now) {
  queue::HoldRule rule;
  TAPAL_TRY(rule.filter, filter_of(request));
  TAPAL_TRY(rule.note, line_of(request, "note"));
  if (const auto seconds = text::number_at(request, "seconds").value_or(0); seconds != 0)
    rule.until = now + std::chrono::seconds(std::clamp<std::int64_t>(seconds, 0, INT32_MAX));
  if (const auto until = text::text_at(request, "until"); !until.empty()) {
    TAPAL_TRY(rule.until, text::parse_rfc3339_date(until));
  }
  if (rule.until && *rule.until <= now) return fail(Code::invalid, "the rule's end is past");
  return rule;
}

json::object changed(const Result<delivery::HeldByRule>& done) {
  if (!done) return refused(done.error().what);
  return {{"ok", true}, {"rule", done->number}, {"recipients", done->recipients}};
}

Task<json::object> add_rule(ControlWorld& world, const json::object& request) {
  auto rule = rule_of(request, world.clock.wall_now());
  if (!rule) co_return refused(rule.error().what);
  const auto done = co_await world.dispatcher.add_hold_rule(*std::move(rule));
  co_return changed(done);
}

Task<json::object> end_rule(ControlWorld& world, const json::object& request) {
  const auto number =
      std::clamp<std::int64_t>(text::number_at(request, "rule").value_or(0), 0, UINT32_MAX);
  const auto done = co_await world.dispatcher.end_hold_rule(static_cast<std::uint32_t>(number));
  co_return changed(done);
}

json::object list_rules(const ControlWorld& world) {
  json::array list;
  for (const auto& rule : world.dispatcher.hold_rules().all()) {
    json::object each{{"rule", rule.number},
                      {"filter", json::parse(queue::to_json(rule.filter))},
                      {"options", queue::text_of(rule.filter)},
                      {"note", rule.note}};
    if (rule.until) each["until"] = text::rfc3339_date(*rule.until);
    list.push_back(std::move(each));
  }
  return {{"ok", true}, {"rules", std::move(list)}};
}

}  // namespace

Task<std::optional<json::object>> answer_order_request(ControlWorld& world,
                                                       const json::object& request) {
  const auto command = text::text_at(request, "command");
  if (command == "queue rule add") co_return co_await add_rule(world, request);
  if (command == "queue rule list") co_return list_rules(world);
  if (command == "queue rule del") co_return co_await end_rule(world, request);
  for (const auto& [name, kind] : kinds)
    if (command == name) co_return co_await give(world, kind, request);
  co_return std::nullopt;
}

}  // namespace tapal::api
