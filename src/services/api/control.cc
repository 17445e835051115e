#include "services/api/control.h"

#include <array>
#include <optional>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "services/api/why.h"
#include "values/text/ascii.h"
#include "values/text/base64.h"

namespace tapal::api {

namespace json = boost::json;

namespace {

constexpr std::size_t request_bytes_max = 64 * 1024;
constexpr std::size_t connections_max = 32;
constexpr std::int64_t listed_default = 1000;
constexpr std::chrono::seconds client_patience{60};
constexpr std::chrono::seconds watch_max = std::chrono::hours(1);
constexpr std::chrono::milliseconds watch_interval{500};
constexpr std::chrono::milliseconds follow_interval{20};

using Order = delivery::Dispatcher::Order;

json::object refused(std::string_view error) { return {{"ok", false}, {"error", error}}; }
std::int64_t number_of(const json::object& request, std::string_view name, std::int64_t otherwise) {
  const auto* value = request.if_contains(name);
  return value != nullptr && value->is_int64() ? value->get_int64() : otherwise;
}

std::string line_of(const json::object& answer) { return json::serialize(answer) + "\n"; }

std::string text_of(const json::object& request, std::string_view name) {
  const auto* value = request.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

// A peer's reply may hold bytes that are no UTF-8; they are shown as they are.
json::value shown(const queue::Message& message) {
  return json::parse(queue::to_json(message), {}, {.allow_invalid_utf8 = true});
}

json::object shown(const SeenConfirmation& seen) {
  const auto& [kind, code, link] = seen.confirmation;
  return {{"queue_id", seen.id.text()},
          {"kind", kind == mail::GmailConfirmation::Kind::send_as ? "send mail as" : "forwarding"},
          {"code", code},
          {"link", link},
          {"message", text::to_base64(seen.message)}};
}

bool concerns(const queue::Message& message, std::string_view address) {
  const auto same = [address](const mail::Address& other) {
    return text::equals_ignoring_case(other.text(), address);
  };
  if (message.envelope.return_path && same(*message.envelope.return_path)) return true;
  return std::ranges::any_of(message.recipients,
                             [&](const auto& state) { return same(state.recipient.address); });
}

json::object shown(const SeenEvent& seen) {
  json::object event{{"event", seen.event}};
  for (const auto& [name, value] : seen.fields) event[name] = value;
  return event;
}

// A client, and what it asked to be kept between its requests.
struct Client {
  Stream& stream;
  std::optional<EventWatch::Watcher> follows = {};
};

// One request's answer.
class Request {
 public:
  Request(ControlWorld& world, Client& client, json::object request)
      : world_(world), client_(client), request_(std::move(request)) {}

  Task<json::object> answer() {
    const auto command = text_of(request_, "command");
    if (command == "queue list") co_return co_await list();
    if (command == "queue show") co_return show();
    if (command == "why") co_return co_await why();
    if (command == "status") co_return status();
    if (command == "guesses") co_return guesses();
    if (command == "watch") co_return co_await watch();
    if (command == "follow") co_return follow();
    if (command == "events") co_return co_await events();
    if (command == "challenge show") co_return show_challenge();
    if (command == "challenge withdraw") co_return withdraw_challenge();
    if (command == "reload") co_return co_await reload();
    if (const auto other = world_.others.find(command); other != world_.others.end())
      co_return co_await ask(other->second);
    for (const auto& [name, order] : orders)
      if (command == name) co_return co_await give(order);
    co_return refused(fmt::format("no such command: {}", text::printable(command)));
  }

 private:
  static constexpr std::pair<std::string_view, Order> orders[] = {{"queue retry", Order::retry},
                                                                  {"queue hold", Order::hold},
                                                                  {"queue release", Order::release},
                                                                  {"queue drop", Order::drop}};

  // Messages of the spool that `wanted` says yes to, read on a worker.
  Task<Result<std::vector<queue::Message>>> read_spool(
      std::function<bool(const queue::Message&)> wanted, std::size_t messages_max) {
    auto read = [&]() -> Result<std::vector<queue::Message>> {
      std::vector<queue::Message> found;
      TAPAL_CHECK(world_.store.scan({}, [&](queue::Message message) {
        if (found.size() < messages_max && wanted(message)) found.push_back(std::move(message));
        return found.size() < messages_max;
      }));
      return found;
    };
    auto result = co_await run_on(world_.workers, world_.loop, std::move(read));
    if (!result) co_return std::unexpected(std::move(result).error());
    co_return *std::move(result);
  }

  Task<json::object> list() {
    const auto limit = number_of(request_, "limit", listed_default);
    const auto all = [](const queue::Message&) { return true; };
    const auto messages =
        co_await read_spool(all, static_cast<std::size_t>(std::max<std::int64_t>(limit, 0)));
    if (!messages) co_return refused(messages.error().what);
    json::array list;
    for (const auto& message : *messages) list.push_back(shown(message));
    co_return json::object{{"ok", true},
                           {"messages", std::move(list)},
                           {"total", world_.dispatcher.counts().messages}};
  }

  json::object show() {
    const auto id = QueueId::from_text(text_of(request_, "id"));
    if (!id) return refused("a queue id has 13 characters, as `tapal queue list` shows them");
    const auto message = world_.dispatcher.find(*id);
    if (!message) return refused("no such message in the queue");
    return {{"ok", true}, {"message", shown(*message)}, {"why", explain(*message)}};
  }

  std::string explain(const queue::Message& message) {
    return explain_waiting(message, world_.dispatcher.why(message.id), world_.clock.wall_now());
  }

  Task<json::object> why() {
    const auto what = text_of(request_, "what");
    json::array found;
    if (const auto id = QueueId::from_text(what)) {
      if (const auto message = world_.dispatcher.find(*id)) found.emplace_back(explain(*message));
    } else {
      const auto about = [&what](const queue::Message& message) { return concerns(message, what); };
      const auto messages = co_await read_spool(about, listed_default);
      if (!messages) co_return refused(messages.error().what);
      for (const auto& message : *messages) found.emplace_back(explain(message));
    }
    co_return json::object{{"ok", true}, {"why", std::move(found)}};
  }

  json::object status() {
    const auto counts = world_.dispatcher.counts();
    return {{"ok", true},
            {"messages", counts.messages},
            {"recipients_waiting", counts.waiting},
            {"recipients_held", counts.held},
            {"attempts", counts.attempts},
            {"destinations", counts.destinations},
            {"disk_free_bytes", world_.store.free_bytes()}};
  }

  json::object guesses() {
    json::array list;
    for (const auto& count : world_.authenticator.guess_counts()) {
      const auto seconds = std::chrono::ceil<std::chrono::seconds>(count.refused_for).count();
      list.push_back(
          json::object{{"what", count.what}, {"wrong", count.wrong}, {"refused_seconds", seconds}});
    }
    return {{"ok", true}, {"guesses", std::move(list)}};
  }

  Task<json::object> watch() {
    const auto address = mail::parse_address(text_of(request_, "address"));
    if (!address) co_return refused(address.error().what);
    const std::chrono::seconds wait(number_of(request_, "seconds", 0));
    const auto end = world_.loop.now() + std::clamp(wait, std::chrono::seconds(0), watch_max);
    ConfirmationWatch::Watcher watcher(world_.confirmations, *address);
    auto seen = watcher.take();
    while (!seen && world_.loop.now() < end) {
      const auto next_look = std::min<Instant>(end, world_.loop.now() + watch_interval);
      if (co_await says_more(next_look)) break;
      seen = watcher.take();
    }
    json::object answer{{"ok", true}, {"confirmation", nullptr}};
    if (seen) answer["confirmation"] = shown(*seen);
    co_return answer;
  }

  // Whether the client says something, or is gone, before that time.
  Task<bool> says_more(Instant until) {
    const auto said = co_await client_.stream.readable(until);
    co_return said || said.error().code != Code::timed_out;
  }

  json::object follow() {
    client_.follows.emplace(world_.events);
    return {{"ok", true}};
  }

  Task<json::object> events() {
    if (!client_.follows) co_return refused("\"follow\" comes before \"events\"");
    const auto id = text_of(request_, "queue_id");
    const std::chrono::seconds wait(number_of(request_, "seconds", 0));
    const auto end = world_.loop.now() + std::clamp(wait, std::chrono::seconds(0), watch_max);
    auto seen = client_.follows->take(id);
    while (seen.empty() && world_.loop.now() < end) {
      if (co_await says_more(std::min<Instant>(end, world_.loop.now() + follow_interval))) break;
      seen = client_.follows->take(id);
    }
    json::array list;
    for (const auto& event : seen) list.push_back(shown(event));
    co_return json::object{{"ok", true}, {"events", std::move(list)}};
  }

  Task<json::object> ask(const OtherCommand& other) {
    const auto result = co_await other(json::serialize(request_));
    if (!result) co_return refused(result.error().what);
    co_return json::object{{"ok", true}, {"result", json::parse(*result)}};
  }

  json::object show_challenge() {
    auto token = text_of(request_, "token");
    auto host = text::to_lower(text_of(request_, "host"));
    if (token.empty() == host.empty()) return refused("a challenge has a token, or a host");
    if (host.empty()) {
      world_.challenges.show_http(std::move(token), text_of(request_, "authorization"));
    } else {
      world_.challenges.show_tls(std::move(host),
                                 {text_of(request_, "chain"), text_of(request_, "key")});
    }
    return {{"ok", true}};
  }

  json::object withdraw_challenge() {
    world_.challenges.withdraw_http(text_of(request_, "token"));
    world_.challenges.withdraw_tls(text::to_lower(text_of(request_, "host")));
    return {{"ok", true}};
  }

  Task<json::object> reload() {
    auto read_again = [this] { return world_.reload(); };
    auto done = co_await run_on(world_.workers, world_.loop, std::move(read_again));
    if (!done) co_return refused(done.error().what);
    if (!*done) co_return refused(done->error().what);
    co_return json::object{{"ok", true}};
  }

  Task<json::object> give(Order order) {
    const auto which = text_of(request_, "id");
    if (which == "all") {
      const auto changed = co_await world_.dispatcher.order_all(order);
      if (!changed) co_return refused(changed.error().what);
      co_return json::object{{"ok", true}, {"messages", *changed}};
    }
    const auto id = QueueId::from_text(which);
    if (!id)
      co_return refused(
          "a queue id has 13 characters, as `tapal queue list` shows them; \"all\" means every "
          "message");
    const auto done = co_await world_.dispatcher.order(order, *id);
    if (!done)
      co_return refused(done.error().code == Code::not_found ? "no such message in the queue"
                                                             : done.error().what);
    co_return json::object{{"ok", true}, {"messages", 1}};
  }

  ControlWorld& world_;
  Client& client_;
  json::object request_;
};

Task<std::string> answer_line(ControlWorld& world, Client& client, std::string_view line) {
  boost::system::error_code error;
  const auto parsed = json::parse(line, error, {}, {.max_depth = 8});
  if (error || !parsed.is_object())
    co_return line_of(refused("a request is one JSON object on one line"));
  Request request(world, client, parsed.get_object());
  const auto answer = co_await request.answer();
  co_return line_of(answer);
}

}  // namespace

Control::Control(ControlWorld world) : world_(std::move(world)) {}
Control::~Control() = default;

void Control::begin(std::unique_ptr<Stream> stream) {
  if (open_.size() < connections_max) tasks_.spawn(serve(std::move(stream)));
}

Task<void> Control::stop() {
  for (auto* stream : open_) stream->close();
  co_await tasks_.join();
}

Task<void> Control::serve(std::unique_ptr<Stream> stream) {
  open_.insert(stream.get());
  Client client{*stream};
  std::string input;
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): read() fills it
  std::array<char, 4096> buffer;
  for (;;) {
    const auto end = input.find('\n');
    if (end == std::string::npos && input.size() >= request_bytes_max) {
      const auto refusal = line_of(refused("the request is too long"));
      static_cast<void>(co_await stream->write(refusal, world_.loop.now() + client_patience));
      break;
    }
    if (end == std::string::npos) {
      const auto count = co_await stream->read(buffer, world_.loop.now() + client_patience);
      if (!count) break;
      input.append(buffer.data(), *count);
      continue;
    }
    const auto line = input.substr(0, end);
    input.erase(0, end + 1);
    const auto answer = co_await answer_line(world_, client, line);
    if (!co_await stream->write(answer, world_.loop.now() + client_patience)) break;
  }
  open_.erase(stream.get());
  stream->close();
}

}  // namespace tapal::api
