#include "services/intake/smtp_session.h"

#include <algorithm>
#include <list>
#include <map>
#include <optional>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "base/buffer_pool.h"
#include "protocols/smtp/server_session.h"
#include "services/intake/login.h"
#include "services/intake/transaction.h"

namespace tapal::intake {
namespace {

using smtp::make_reply;

constexpr std::size_t buffer_bytes = 64UL * 1024;
constexpr std::chrono::seconds tls_handshake_max{60};

bool has_tls(const SessionWorld& world) { return world.tls != nullptr && world.tls->is_ready(); }

smtp::ServerOptions session_options(const SessionWorld& world, Door door) {
  smtp::ServerOptions options;
  options.hostname = world.options.host_name;
  options.limits = world.options.limits;
  const auto domains = world.domains.get()->directory.domains();
  if (!domains.empty()) options.postmaster_domain = domains.front();
  if (has_tls(world))
    options.tls =
        door == Door::submissions ? smtp::ServerTls::implicit_tls : smtp::ServerTls::starttls;
  if (door == Door::smtp) return options;
  options.role = smtp::ServerRole::submission;
  options.tls_required = true;
  options.authentication_required = true;
  options.mechanisms = login_mechanisms();
  return options;
}

Refusal login_taken_back() {
  return make_reply(530,
                    "5.7.0",
                    "the password of this login has been changed or taken back; connect again and "
                    "log in with one that is valid");
}

Client::Standing standing_of(const Options& options, Door door, const IpAddress& peer) {
  const auto holds = [&peer](const IpNetwork& network) { return network.contains(peer); };
  if (door == Door::smtp && std::ranges::any_of(options.trusted_networks, holds))
    return Client::Standing::trusted;
  return Client::Standing::stranger;
}

}  // namespace

// What the sessions of a loop share.
struct Sessions::Memory {
  BufferPool buffers;
  MemoryBudget budget;
};

// One connection, from its greeting to its end.
class Sessions::Session {
 public:
  Session(SessionWorld& world, Memory& memory, Door door, std::unique_ptr<Stream> stream)
      : world_(world),
        buffers_(memory.buffers),
        door_(door),
        stream_(std::move(stream)),
        peer_(stream_->remote().address),
        core_(session_options(world, door), world.loop.now()),
        login_(world.loop, world.authenticator, world.random, peer_),
        transaction_(world,
                     memory.budget,
                     {standing_of(world.options, door, peer_), {}},
                     stream_->remote()) {}

  Task<void> run();

  // From outside run(), on the same loop: says goodbye at once when the session only waits for the
  // client; otherwise run() does it at its next boundary.
  Task<void> stop() {
    core_.on_shutdown();
    if (!reading_) co_return;
    while (auto action = core_.next_action()) {
      if (auto* send = std::get_if<smtp::Send>(&*action))
        static_cast<void>(
            co_await stream_->write(send->bytes, world_.loop.now() + std::chrono::seconds(1)));
      else
        cut();
    }
  }
  void cut() { stream_->close(); }

 private:
  enum class Next : std::uint8_t { go_on, end };

  bool is_admitted();
  Task<bool> start_tls();
  Task<Next> drain();
  Task<Next> perform(smtp::ServerAction action);
  Task<void> follow_login(sasl::ServerStep step);
  Task<Next> read();
  Task<Result<void>> read_once();

  SessionWorld& world_;
  BufferPool& buffers_;
  Door door_;
  std::unique_ptr<Stream> stream_;
  IpAddress peer_;
  smtp::ServerSession core_;
  Login login_;
  Transaction transaction_;
  bool reading_ = false;
};

bool Sessions::Session::is_admitted() {
  switch (world_.connections.enter(peer_)) {
    case ConnectionCount::Verdict::admitted: return true;
    case ConnectionCount::Verdict::too_many:
      core_.on_overload(
          make_reply(421, "4.3.2", "too many connections to this server, try again later"));
      break;
    case ConnectionCount::Verdict::too_many_from_address:
      core_.on_overload(
          make_reply(421, "4.7.0", "too many connections from your address, try again later"));
      break;
  }
  world_.log.write(Level::warning, "connection refused: too many", {{"peer", peer_.text()}});
  return false;
}

Task<void> Sessions::Session::run() {
  const bool admitted = is_admitted();
  const bool tls_first = door_ == Door::submissions;
  bool open = !tls_first || (admitted && has_tls(world_));
  if (open && tls_first) open = co_await start_tls();
  while (open) {
    if (co_await drain() == Next::end) break;
    if (co_await read() == Next::end) break;
  }
  stream_->close();
  if (admitted) world_.connections.leave(peer_);
}

Task<bool> Sessions::Session::start_tls() {
  if (!has_tls(world_)) co_return false;
  const auto state =
      co_await stream_->accept_tls(*world_.tls, world_.loop.now() + tls_handshake_max);
  if (!state) {
    world_.log.write(Level::info,
                     "TLS handshake failed",
                     {{"peer", peer_.text()}, {"reason", state.error().what}});
    co_return false;
  }
  core_.on_tls({state->version, state->cipher}, world_.loop.now());
  login_.on_tls(*stream_);
  co_return true;
}

Task<Sessions::Session::Next> Sessions::Session::drain() {
  while (auto action = core_.next_action())
    if (co_await perform(*std::move(action)) == Next::end) co_return Next::end;
  co_return Next::go_on;
}

Task<Sessions::Session::Next> Sessions::Session::perform(smtp::ServerAction action) {
  const auto now = [this] { return world_.loop.now(); };
  if (auto* send = std::get_if<smtp::Send>(&action)) {
    const auto written = co_await stream_->write(send->bytes, now() + world_.options.limits.idle);
    co_return written ? Next::go_on : Next::end;
  }
  if (std::holds_alternative<smtp::Close>(action)) co_return Next::end;
  if (std::holds_alternative<smtp::StartTls>(action))
    co_return co_await start_tls() ? Next::go_on : Next::end;
  if (auto* auth = std::get_if<smtp::AskAuthentication>(&action)) {
    co_await follow_login(login_.start(auth->mechanism, std::move(auth->initial_response)));
  } else if (auto* step = std::get_if<smtp::AskAuthStep>(&action)) {
    co_await follow_login(login_.respond(step->response));
  } else if (auto* sender = std::get_if<smtp::AskSender>(&action)) {
    auto refusal = login_.still_counts(*world_.domains.get())
                       ? transaction_.begin(*sender, core_.helo(), core_.user())
                       : login_taken_back();
    core_.on_sender(std::move(refusal), now());
  } else if (auto* recipient = std::get_if<smtp::AskRecipient>(&action)) {
    core_.on_recipient(transaction_.add(recipient->recipient), now());
  } else if (auto* body = std::get_if<smtp::BodyBytes>(&action)) {
    if (auto refusal = transaction_.on_bytes(body->bytes))
      core_.on_body_refused(*std::move(refusal), now());
  } else if (std::holds_alternative<smtp::AbandonBody>(action)) {
    transaction_.abandon();
  } else if (auto* store = std::get_if<smtp::AskStore>(&action)) {
    const auto& tls = core_.tls();
    Arrival arrival{core_.with_protocol(), tls ? tls->version + " " + tls->cipher : ""};
    const auto reply = co_await transaction_.store(std::move(store->envelope), std::move(arrival));
    core_.on_stored(reply, now());
  }
  co_return Next::go_on;
}

Task<void> Sessions::Session::follow_login(sasl::ServerStep step) {
  const auto domains = world_.domains.get();
  auto outcome = co_await login_.follow(*domains, std::move(step));
  const auto now = world_.loop.now();
  if (auto* challenge = std::get_if<sasl::Challenge>(&outcome)) {
    core_.on_auth_challenge(challenge->bytes, now);
  } else if (auto* success = std::get_if<sasl::Success>(&outcome)) {
    world_.log.write(Level::info, "login", {{"user", success->user}, {"peer", peer_.text()}});
    core_.on_auth_success(success->user, now);
  } else if (auto* failure = std::get_if<sasl::Failure>(&outcome)) {
    world_.log.write(Level::warning,
                     "login failed",
                     {{"user", failure->user}, {"peer", peer_.text()}, {"reason", failure->text}});
    core_.on_auth_failure(reply_to(*failure), now);
  }
}

Task<Sessions::Session::Next> Sessions::Session::read() {
  if (!core_.wants_bytes()) co_return Next::end;
  reading_ = true;
  auto outcome = co_await stream_->readable(core_.deadline());
  if (outcome) outcome = co_await read_once();
  reading_ = false;
  if (outcome) co_return Next::go_on;
  if (outcome.error().code != Code::timed_out) co_return Next::end;
  core_.on_time(world_.loop.now());
  co_return Next::go_on;
}

Task<Result<void>> Sessions::Session::read_once() {
  auto buffer = buffers_.lend();
  TAPAL_CO_TRY(const auto count, co_await stream_->read(buffer.bytes(), core_.deadline()));
  core_.on_bytes({buffer.bytes().data(), count}, world_.loop.now());
  co_return Result<void>();
}

struct Sessions::State {
  explicit State(const Options& options)
      : memory{BufferPool(buffer_bytes), MemoryBudget(options.receiving_memory_max)} {}
  Memory memory;
  TaskGroup tasks;
  std::map<std::uint64_t, std::shared_ptr<Session>> open;  // by age: stop() goes in that order
  std::uint64_t begun = 0;
};

Sessions::Sessions(SessionWorld world)
    : world_(world), state_(std::make_unique<State>(world.options)) {}
Sessions::~Sessions() = default;

void Sessions::begin(Door door, std::unique_ptr<Stream> stream) {
  state_->tasks.spawn(
      run(std::make_shared<Session>(world_, state_->memory, door, std::move(stream))));
}

Task<void> Sessions::run(std::shared_ptr<Session> session) {
  const std::uint64_t number = ++state_->begun;
  state_->open.emplace(number, session);
  co_await session->run();
  state_->open.erase(number);
}

Task<void> Sessions::stop(Instant deadline) {
  const auto open = state_->open;  // the set changes while sessions end
  TaskGroup goodbyes;
  for (const auto& [number, session] : open) goodbyes.spawn(session->stop());
  const auto timer = world_.loop.make_timer();
  const auto cut_late =
      [](Timer& until,
         Instant when,
         std::map<std::uint64_t, std::shared_ptr<Session>> sessions) -> Task<void> {
    if (co_await until.wait_until(when))
      for (const auto& [number, session] : sessions) session->cut();
  };
  goodbyes.spawn(cut_late(*timer, deadline, open));
  co_await state_->tasks.join();
  timer->cancel();
  co_await goodbyes.join();
}

std::size_t Sessions::count() const { return state_->open.size(); }

}  // namespace tapal::intake
