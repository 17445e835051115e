#include "services/api/control.h"

#include <array>
#include <optional>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "services/api/order_requests.h"
#include "services/api/queue_requests.h"
#include "services/api/refusal.h"
#include "values/text/ascii.h"
#include "values/text/base64.h"
#include "values/text/json_fields.h"

namespace tapal::api {

namespace json = boost::json;

namespace {

constexpr std::size_t request_bytes_max = 64 * 1024;
constexpr std::size_t connections_max = 32;
constexpr std::chrono::seconds client_patience{60};
constexpr std::chrono::seconds watch_max = std::chrono::hours(1);
constexpr std::chrono::milliseconds watch_interval{500};
constexpr std::chrono::milliseconds follow_interval{20};

std::string line_of(const json::object& answer) { return json::serialize(answer) + "\n"; }

json::object shown(const SeenConfirmation& seen) {
  const auto& [kind, code, link] = seen.confirmation;
  return {{"queue_id", seen.id.text()},
          {"kind", kind == mail::GmailConfirmation::Kind::send_as ? "send mail as" : "forwarding"},
          {"code", code},
          {"link", link},
          {"message", text::to_base64(seen.message)}};
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
    const auto command = text::text_at(request_, "command");
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
    if (auto told = co_await answer_queue_request(world_, request_)) co_return *std::move(told);
    if (auto done = co_await answer_order_request(world_, request_)) co_return *std::move(done);
    co_return refused(fmt::format("no such command: {}", text::printable(command)));
  }

 private:
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
    const auto address = mail::parse_address(text::text_at(request_, "address"));
    if (!address) co_return refused(address.error().what);
    const std::chrono::seconds wait(text::number_at(request_, "seconds").value_or(0));
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
    const auto id = text::text_at(request_, "queue_id");
    const std::chrono::seconds wait(text::number_at(request_, "seconds").value_or(0));
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
    auto token = text::text_at(request_, "token");
    auto host = text::to_lower(text::text_at(request_, "host"));
    if (token.empty() == host.empty()) return refused("a challenge has a token, or a host");
    if (host.empty()) {
      world_.challenges.show_http(std::move(token), text::text_at(request_, "authorization"));
    } else {
      world_.challenges.show_tls(
          std::move(host), {text::text_at(request_, "chain"), text::text_at(request_, "key")});
    }
    return {{"ok", true}};
  }

  json::object withdraw_challenge() {
    world_.challenges.withdraw_http(text::text_at(request_, "token"));
    world_.challenges.withdraw_tls(text::to_lower(text::text_at(request_, "host")));
    return {{"ok", true}};
  }

  Task<json::object> reload() {
    auto read_again = [this] { return world_.reload(); };
    auto done = co_await run_on(world_.workers, world_.loop, std::move(read_again));
    if (!done) co_return refused(done.error().what);
    if (!*done) co_return refused(done->error().what);
    co_return json::object{{"ok", true}};
  }

  ControlWorld& world_;
  Client& client_;
  json::object request_;
};

Task<std::string> answer_line(ControlWorld& world, Client& client, std::string_view line) {
  auto object = text::parse_object(line, 8);
  if (!object) co_return line_of(refused("a request is one JSON object on one line"));
  Request request(world, client, *std::move(object));
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
