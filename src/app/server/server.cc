// A server while it runs: listening, reloading, stopping.
#include "app/server/server.h"

#include <utility>

#include <fmt/format.h>

#include "app/config/domains.h"
#include "app/server/on_loop.h"
#include "app/server/parts.h"
#include "drivers/system/service_manager.h"

namespace tapal::app {
namespace {

using intake::Door;

constexpr std::chrono::seconds default_grace{10};

}  // namespace

std::vector<AcceptTarget> Server::Parts::session_targets(Door door) {
  std::vector<AcceptTarget> targets;
  for (std::size_t i = 0; i < loops->size(); ++i) {
    auto begin = [&on = *sessions[i], door](std::unique_ptr<Stream> stream) {
      on.begin(door, std::move(stream));
    };
    targets.push_back({&loops->loop(i), std::move(begin)});
  }
  return targets;
}

void Server::Parts::accept_at(Door door, std::vector<ListenSocket> sockets) {
  if (closing) return;
  for (auto& socket : sockets) {
    ListenerOptions options;
    options.on_trouble = [this](const Error& error) {
      log.write(Level::error, "cannot accept", {{"reason", error.what}});
    };
    listeners.push_back(std::make_unique<Listener>(
        main_loop(), std::move(socket), session_targets(door), std::move(options)));
  }
}

Result<void> Server::Parts::listen() {
  TAPAL_TRY(auto sockets, handed.open("smtp", settings.listen.smtp));
  addresses.smtp = local_endpoints(sockets);
  accept_at(Door::smtp, std::move(sockets));
  if (tls->is_ready()) {
    TAPAL_CHECK(listen_for_submission());
  }
  TAPAL_CHECK(listen_for_web());
  build_upkeep();
  open_drops();
  return listen_for_control();
}

// While the server runs, too: where nobody could log in before.
Result<void> Server::Parts::listen_for_submission() {
  TAPAL_TRY(auto explicit_tls, handed.open("submission", settings.listen.submission));
  TAPAL_TRY(auto implicit_tls, handed.open("submissions", settings.listen.submissions));
  addresses.submission = local_endpoints(explicit_tls);
  addresses.submissions = local_endpoints(implicit_tls);
  submission_is_open = true;
  if (running) {
    on_loop(main_loop(),
            [&] { return accept_later(std::move(explicit_tls), std::move(implicit_tls)); });
  } else {
    accept_at(Door::submission, std::move(explicit_tls));
    accept_at(Door::submissions, std::move(implicit_tls));
  }
  return {};
}

Task<void> Server::Parts::accept_later(std::vector<ListenSocket> explicit_tls,
                                       std::vector<ListenSocket> implicit_tls) {
  accept_at(Door::submission, std::move(explicit_tls));
  accept_at(Door::submissions, std::move(implicit_tls));
  co_return;
}

Result<void> Server::Parts::listen_for_web() {
  TAPAL_TRY(web,
            WebFront::open({*loops, clock, log, settings, *domains, challenges, *tls, handed}));
  addresses.http = web->addresses().http;
  addresses.https = web->addresses().https;
  return {};
}

Result<void> Server::Parts::listen_for_control() {
  auto others = upkeep->commands();
  others.merge(egress->commands());
  others["checkpoint"] = [this](const std::string& /*request*/) { return make_checkpoint(); };
  others["overview"] = [this](const std::string& /*request*/) { return answer_overview(); };
  api::ControlWorld world{main_loop(),
                          *dispatcher,
                          *store,
                          *disk_workers,
                          clock,
                          [this] { return reload(); },
                          *authenticator,
                          confirmations,
                          events,
                          challenges,
                          std::move(others)};
  control = std::make_unique<api::Control>(std::move(world));
  TAPAL_TRY(auto socket, ListenSocket::unix_domain(settings.control_socket().string(), 0600));
  std::vector<AcceptTarget> targets;
  targets.push_back({&main_loop(), [this](std::unique_ptr<Stream> stream) {
                       control->begin(std::move(stream));
                     }});
  control_listener = std::make_unique<Listener>(main_loop(), std::move(socket), std::move(targets));
  return {};
}

Result<void> Server::Parts::reload() {
  const std::scoped_lock lock(reload_mutex);
  seen = take_marks();
  return take_in_changes();
}

void Server::Parts::reload_if_changed() {
  const std::scoped_lock lock(reload_mutex);
  auto now = take_marks();
  if (now == seen) return;
  seen = std::move(now);
  if (const auto done = take_in_changes(); !done)
    log.write(
        Level::error, "the changed configuration is not used", {{"reason", done.error().what}});
}

Result<void> Server::Parts::take_in_changes() {
  TAPAL_TRY(const auto loaded, load_settings(config_folder));
  TAPAL_TRY(const auto folder, load_folder());
  TAPAL_TRY(auto next, make_domains(folder));
  TAPAL_CHECK(take_up_certificates(folder));
  domains->set(std::move(next));
  if (tls->is_ready() && !submission_is_open) {
    TAPAL_CHECK(listen_for_submission());
    log.write(Level::info, "the first certificate is here: users can log in");
  }
  for (const auto& name : changes_that_need_restart(settings, loaded))
    log.write(Level::warning, "this setting takes effect after a restart", {{"setting", name}});
  if (running) main_loop().post([this] { egress->look_again(); });
  log.write(Level::info, "configuration reloaded");
  return {};
}

Task<void> Server::Parts::stop_listening() {
  closing = true;
  dispatcher->release_sessions();
  web->close();
  for (auto& listener : listeners) listener->close();
  control_listener->close();
  co_await control->stop();
}

Task<void> Server::Parts::stop_dispatching(std::chrono::seconds grace) {
  dispatcher->stop(grace);
  co_await dispatching->join();
}

void Server::Parts::stop(std::chrono::seconds grace) {
  if (!running.exchange(false)) return;
  const auto deadline = clock.now() + grace;
  on_loop(main_loop(), [this] { return doctor->stop(); });
  on_loop(main_loop(), [this] { return stop_listening(); });
  on_loop(main_loop(), [this] { return drops->stop(); });
  for (std::size_t i = 0; i < loops->size(); ++i) {
    on_loop(loops->loop(i), [this, i] { return web->stop(i); });
    on_loop(loops->loop(i), [&on = *sessions[i], deadline] { return on.stop(deadline); });
  }
  on_loop(main_loop(), [this, grace] { return stop_dispatching(grace); });
  on_loop(main_loop(), [this] { return egress->stop(); });
  on_loop(main_loop(), [this] { return upkeep->stop(); });
  resolver->close();
  on_loop(main_loop(), [this] { return egress->end(); });
  on_loop(main_loop(), [this] { return upkeep->end(); });
  loops->stop();
  loops->join();
}

Server::Server(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Server::~Server() { parts_->stop(default_grace); }

Result<std::unique_ptr<Server>> Server::start(std::filesystem::path config_folder,
                                              Settings settings,
                                              Log& log,
                                              HandedSockets handed) {
  auto parts = std::make_unique<Parts>(std::move(config_folder), std::move(settings), log);
  parts->handed = std::move(handed);
  TAPAL_CHECK(parts->load_configuration());
  TAPAL_CHECK(parts->open_stores());
  TAPAL_CHECK(parts->build_delivery());
  parts->build_intake();
  TAPAL_CHECK(parts->listen());
  parts->started = parts->clock.wall_now();  // told as soon as the loops turn
  parts->loops->start();
  parts->running = true;
  std::vector<Loop*> all_loops;
  all_loops.reserve(parts->loops->size());
  for (std::size_t i = 0; i < parts->loops->size(); ++i)
    all_loops.push_back(&parts->loops->loop(i));
  parts->heartbeat = std::make_unique<Heartbeat>(std::move(all_loops));
  parts->dispatching = std::make_unique<TaskGroup>();
  parts->main_loop().post([&p = *parts] {
    p.egress->start();
    p.dispatching->spawn(p.dispatcher->run());
    p.drops->start();
    p.upkeep->start();
    p.doctor->start();
  });
  log.write(Level::info, "ready", {{"host", parts->settings.hostname}, {"version", TAPAL_VERSION}});
  return std::unique_ptr<Server>(new Server(std::move(parts)));
}

Result<void> Server::reload() { return parts_->reload(); }

void Server::reload_if_changed() { parts_->reload_if_changed(); }

void Server::stop(std::chrono::seconds grace) { parts_->stop(grace); }

bool Server::is_alive() { return parts_->heartbeat->beats(); }

// Nobody waits for the loop, which may hang.
void Server::tell_status() {
  parts_->main_loop().post([&p = *parts_] {
    const auto messages = p.dispatcher->counts().messages;
    notify_status(fmt::format("running; {} messages in the queue", messages));
  });
}

ServerAddresses Server::addresses() const {
  const std::scoped_lock lock(parts_->reload_mutex);
  return parts_->addresses;
}

}  // namespace tapal::app
