#include "services/api/queue_requests.h"

#include <algorithm>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "services/api/control.h"
#include "services/api/refusal.h"
#include "services/api/why.h"
#include "values/text/ascii.h"
#include "values/text/date.h"
#include "values/text/json_fields.h"

namespace tapal::api {

namespace json = boost::json;

namespace {

constexpr std::size_t listed_default = 1000;
constexpr std::size_t sites_default = 20;

// What a walk through the spool found.
struct Found {
  struct Match {
    queue::Message message;  // as the hold rules have it
    std::vector<std::uint32_t> recipients;
  };
  std::vector<Match> listed;
  std::size_t messages = 0;
  std::size_t recipients = 0;
  std::uint64_t bytes = 0;
};

struct Walk {
  queue::Filter filter;
  std::size_t listed_max = 0;
  bool counts_all = false;  // else it ends with the last that is listed
};

// A peer's reply may hold bytes that are no UTF-8; they are shown as they are.
json::object shown(const queue::Message& message) {
  return json::parse(queue::to_json(message), {}, {.allow_invalid_utf8 = true}).as_object();
}

bool concerns(const queue::Message& message, std::string_view address) {
  const auto same = [address](const mail::Address& other) {
    return text::equals_ignoring_case(other.text(), address);
  };
  if (message.envelope.return_path && same(*message.envelope.return_path)) return true;
  return std::ranges::any_of(message.recipients,
                             [&](const auto& state) { return same(state.recipient.address); });
}

json::object shown(const queue::Message& message, const queue::WaitFact& fact, WallTime now) {
  const auto text = wait_text(message, fact, now);
  json::object wait{{"site", fact.destination},
                    {"reason", text.reason},
                    {"limit", text.limit},
                    {"text", text.sentence},
                    {"change", text.change}};
  if (fact.due > now) wait["until"] = text::rfc3339_date(fact.due);
  auto& recipients = wait["recipients"].emplace_array();
  for (const auto i : fact.recipients)
    recipients.emplace_back(message.recipients.at(i).recipient.address.text());
  return wait;
}

class QueueRequest {
 public:
  QueueRequest(ControlWorld& world, const json::object& request)
      : world_(world), request_(request) {}

  Task<std::optional<json::object>> answer() {
    const auto command = text::text_at(request_, "command");
    if (command == "queue list") co_return co_await list();
    if (command == "queue count") co_return co_await count();
    if (command == "queue show") co_return show();
    if (command == "queue sites") co_return sites();
    if (command == "why") co_return co_await why();
    co_return std::nullopt;
  }

 private:
  std::size_t limit(std::size_t otherwise) const {
    const auto asked =
        text::number_at(request_, "limit").value_or(static_cast<std::int64_t>(otherwise));
    return static_cast<std::size_t>(std::max<std::int64_t>(asked, 0));
  }

  // On a worker: a long spool takes its time.
  Task<Result<Found>> find(Walk walk) {
    auto read = [this,
                 walk,
                 facts = world_.dispatcher.filter_facts(),
                 rules = world_.dispatcher.hold_rules()]() -> Result<Found> {
      Found found;
      TAPAL_CHECK(world_.store.scan({}, [&](queue::Message message) {
        if (!rules.empty()) message = rules.with_held(std::move(message), facts);
        auto recipients = queue::matching(walk.filter, message, facts);
        if (recipients.empty()) return true;
        ++found.messages;
        found.recipients += recipients.size();
        found.bytes += message.body_bytes;
        if (found.listed.size() < walk.listed_max)
          found.listed.push_back({std::move(message), std::move(recipients)});
        return walk.counts_all || found.listed.size() < walk.listed_max;
      }));
      return found;
    };
    auto result = co_await run_on(world_.workers, world_.loop, std::move(read));
    if (!result) co_return std::unexpected(std::move(result).error());
    co_return *std::move(result);
  }

  json::array listed(const Found& found) {
    json::array list;
    for (const auto& [message, recipients] : found.listed) {
      auto each = shown(message);
      auto& matching = each["matching"].emplace_array();
      for (const auto i : recipients)
        matching.emplace_back(message.recipients[i].recipient.address.text());
      if (text::flag_at(request_, "why").value_or(false)) explain(message.id, each);
      list.push_back(std::move(each));
    }
    return list;
  }

  Task<json::object> list() {
    const auto wanted = filter_of(request_);
    if (!wanted) co_return refused(wanted.error().what);
    Walk walk{*wanted, limit(listed_default)};
    const auto found = co_await find(std::move(walk));
    if (!found) co_return refused(found.error().what);
    co_return json::object{
        {"ok", true}, {"messages", listed(*found)}, {"total", world_.dispatcher.counts().messages}};
  }

  Task<json::object> count() {
    const auto wanted = filter_of(request_);
    if (!wanted) co_return refused(wanted.error().what);
    Walk walk{*wanted, 0, true};
    const auto found = co_await find(std::move(walk));
    if (!found) co_return refused(found.error().what);
    co_return json::object{{"ok", true},
                           {"messages", found->messages},
                           {"recipients", found->recipients},
                           {"bytes", found->bytes}};
  }

  json::object show() {
    const auto id = QueueId::from_text(text::text_at(request_, "id"));
    if (!id) return refused("a queue id has 13 characters, as `tapal queue list` shows them");
    const auto message = world_.dispatcher.find(*id);
    if (!message) return refused("no such message in the queue");
    const auto& rules = world_.dispatcher.hold_rules();
    json::object answer{
        {"ok", true},
        {"message", shown(rules.with_held(*message, world_.dispatcher.filter_facts()))}};
    explain(*id, answer);
    return answer;
  }

  // By its newest state, which the walk may not have seen.
  void explain(QueueId id, json::object& into) {
    const auto message = world_.dispatcher.find(id);
    if (!message) return;
    const auto facts = world_.dispatcher.why(*message);
    const auto now = world_.clock.wall_now();
    into["why"] = explain_waiting(*message, facts, now);
    auto& waits = into["waits"].emplace_array();
    for (const auto& fact : facts) waits.push_back(shown(*message, fact, now));
  }

  json::object sites() {
    json::array list;
    for (const auto& site : world_.dispatcher.sites(limit(sites_default))) {
      json::object each{{"site", site.site},
                        {"waiting", site.waiting},
                        {"held", site.held},
                        {"attempts", site.attempts}};
      if (site.next_due) each["next_due"] = text::rfc3339_date(*site.next_due);
      list.push_back(std::move(each));
    }
    return {{"ok", true}, {"sites", std::move(list)}, {"total", world_.dispatcher.counts().sites}};
  }

  Task<json::object> why() {
    const auto what = text::text_at(request_, "what");
    json::array found;
    json::array waits;
    const auto ids = co_await about(what);
    if (!ids) co_return refused(ids.error().what);
    for (const auto id : *ids) {
      json::object each;
      explain(id, each);
      if (!each.contains("why")) continue;
      found.push_back(std::move(each["why"]));
      waits.push_back(std::move(each["waits"]));
    }
    co_return json::object{{"ok", true}, {"why", std::move(found)}, {"waits", std::move(waits)}};
  }

  // The messages from or to an address, ended recipients too; or the one that has this id.
  Task<Result<std::vector<QueueId>>> about(std::string what) {
    std::vector<QueueId> ids;
    if (const auto id = QueueId::from_text(what)) {
      ids.push_back(*id);
      co_return ids;
    }
    auto read = [this, what = std::move(what), ids]() mutable -> Result<std::vector<QueueId>> {
      TAPAL_CHECK(world_.store.scan({}, [&](const queue::Message& message) {
        if (concerns(message, what)) ids.push_back(message.id);
        return ids.size() < listed_default;
      }));
      return ids;
    };
    auto result = co_await run_on(world_.workers, world_.loop, std::move(read));
    if (!result) co_return std::unexpected(std::move(result).error());
    co_return *std::move(result);
  }

  ControlWorld& world_;
  const json::object& request_;
};

}  // namespace

Result<queue::Filter> filter_of(const json::object& request) {
  const auto* filter = request.if_contains("filter");
  return filter == nullptr ? queue::Filter() : queue::filter_from_json(json::serialize(*filter));
}

Task<std::optional<json::object>> answer_queue_request(ControlWorld& world,
                                                       const json::object& request) {
  QueueRequest asked(world, request);
  co_return co_await asked.answer();
}

}  // namespace tapal::api
