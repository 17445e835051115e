#include "app/server.h"

#include <algorithm>
#include <mutex>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "app/domains.h"
#include "app/on_loop.h"
#include "drivers/files/config_folder.h"
#include "drivers/files/files.h"
#include "drivers/files/folder_marks.h"
#include "drivers/files/maildir.h"
#include "drivers/net/addresses.h"
#include "drivers/net/listener.h"
#include "drivers/net/loop.h"
#include "drivers/net/tls.h"
#include "drivers/resolver/unbound_resolver.h"
#include "drivers/system/clock.h"
#include "drivers/system/random.h"
#include "drivers/system/worker_pool.h"
#include "services/api/control.h"
#include "services/delivery/dispatcher.h"
#include "services/intake/smtp_session.h"

namespace tapal::app {
namespace {

using intake::Door;

constexpr std::chrono::seconds default_grace{10};

std::size_t loops_of_machine() { return std::max(1U, std::thread::hardware_concurrency()); }

intake::Options intake_options(const Settings& settings) {
  return {.host_name = settings.hostname,
          .trusted_networks = settings.relay.trusted_networks,
          .dkim_lifetime = settings.dkim_expiry(),
          .limits = settings.limits,
          .receiving_memory_max = settings.receiving_memory / loops_of_machine()};
}

queue::SchedulerLimits scheduler_limits(const Settings& settings) {
  queue::SchedulerLimits limits;
  const auto& delivery = settings.delivery;
  limits.attempts_at_once_max = delivery.connections_max;
  limits.retries_at_once_max = std::max<std::size_t>(1, delivery.connections_max * 4 / 5);
  limits.attempts_per_destination_max = delivery.connections_per_destination_max;
  limits.recipients_per_transaction_max = delivery.recipients_per_transaction_max;
  limits.messages_waiting_max = settings.queue.messages_max;
  return limits;
}

std::vector<ServedCertificate> served(const files::ConfigFolder& folder) {
  std::vector<ServedCertificate> out;
  out.reserve(folder.certificates.size());
  for (const auto& certificate : folder.certificates)
    out.push_back({{}, certificate.chain_pem, certificate.key_pem, certificate.chain_file});
  return out;
}

struct Marks {
  files::FolderMarks configuration;
  files::FolderMarks certificates;
  bool operator==(const Marks&) const = default;
};

}  // namespace

// In the order of building; taken down in reverse.
struct Server::Parts {
  std::filesystem::path config_folder;
  Settings settings;
  Log& log;
  SystemClock clock;
  SystemRandom random;
  intake::Options intake_options;
  delivery::OwnNames own;
  std::mutex reload_mutex;  // guards seen
  Marks seen;               // of the folders when they were last read

  std::unique_ptr<Snapshot<intake::Domains>> domains;
  std::unique_ptr<ServerContext> tls;  // null without certificates
  std::unique_ptr<ClientContext> client_tls;
  std::unique_ptr<UnboundResolver> resolver;
  std::unique_ptr<RocksdbStore> store;
  std::unique_ptr<WorkerPool> password_workers;
  std::unique_ptr<WorkerPool> disk_workers;
  std::unique_ptr<files::MaildirMailbox> mailbox;
  std::unique_ptr<intake::Authenticator> authenticator;
  std::unique_ptr<intake::ConnectionCount> connections;
  std::unique_ptr<LoopPool> loops;
  std::vector<std::unique_ptr<delivery::Courier>> couriers;
  std::unique_ptr<delivery::Dispatcher> dispatcher;
  std::unique_ptr<TaskGroup> dispatching;
  std::vector<std::unique_ptr<intake::Sessions>> sessions;
  std::vector<std::unique_ptr<Listener>> listeners;
  std::unique_ptr<api::Control> control;
  std::unique_ptr<Listener> control_listener;
  ServerAddresses addresses;
  bool running = false;

  Parts(std::filesystem::path folder, Settings given, Log& to)
      : config_folder(std::move(folder)),
        settings(std::move(given)),
        log(to),
        intake_options(app::intake_options(settings)) {}

  NetLoop& main_loop() { return loops->loop(0); }
  Marks take_marks() const;
  Result<files::ConfigFolder> load_folder();
  Result<void> load_configuration();
  Result<void> open_stores();
  Result<void> build_delivery();
  void build_intake();
  Result<void> listen();
  Result<void> listen_at(Door door,
                         const std::vector<Endpoint>& endpoints,
                         std::vector<Endpoint>& bound);
  Result<void> listen_for_control();
  std::vector<AcceptTarget> session_targets(Door door);
  std::string sign(std::string_view notice) const;
  Result<void> reload();
  void reload_if_changed();
  Result<void> take_in_changes();  // with reload_mutex held
  Task<void> stop_listening();
  Task<void> stop_dispatching(std::chrono::seconds grace);
  void stop(std::chrono::seconds grace);
};

Marks Server::Parts::take_marks() const {
  return {files::FolderMarks::take(config_folder),
          files::FolderMarks::take(settings.certificates_folder(config_folder))};
}

Result<files::ConfigFolder> Server::Parts::load_folder() {
  auto folder =
      files::load_config_folder({config_folder, settings.certificates_folder(config_folder)});
  if (!folder.problems.empty())
    return fail(Code::invalid, fmt::format("{}", fmt::join(folder.problems, "\n")));
  for (const auto& notice : folder.notices) log.write(Level::info, notice);
  return folder;
}

Result<void> Server::Parts::load_configuration() {
  seen = take_marks();  // before reading: an edit in between is read again
  TAPAL_TRY(const auto folder, load_folder());
  TAPAL_TRY(auto first, make_domains(folder));
  domains = std::make_unique<Snapshot<intake::Domains>>(std::move(first));

  ServerTlsOptions server_tls{.least_version = settings.tls.minimum_version};
  if (settings.tls.tickets) server_tls.tickets = std::make_shared<TicketKeys>();
  if (auto certificates = served(folder); !certificates.empty()) {
    TAPAL_TRY(tls, ServerContext::make(certificates, std::move(server_tls)));
  } else {
    log.write(Level::warning,
              "no certificate: no TLS, and nobody can log in; see `tapal config check`");
  }
  ClientTlsOptions outbound{.trusted_ca_file = settings.tls.trusted_ca_file,
                            .least_version = settings.tls.minimum_version};
  TAPAL_TRY(client_tls, ClientContext::make(outbound));
  return {};
}

Result<void> Server::Parts::open_stores() {
  TAPAL_CHECK(files::create_folder(settings.state_folder, 0700));
  settings.spool.folder = (std::filesystem::path(settings.state_folder) / "spool").string();
  TAPAL_TRY(store, RocksdbStore::open(settings.spool, &log));
  TAPAL_TRY(resolver, UnboundResolver::open(settings.resolver));
  password_workers = std::make_unique<WorkerPool>(
      WorkerPoolOptions{.threads = settings.workers.password_threads, .name = "password"});
  disk_workers = std::make_unique<WorkerPool>(
      WorkerPoolOptions{.threads = 4, .waiting_max = 10'000, .name = "disk"});
  mailbox = std::make_unique<files::MaildirMailbox>(settings.mail_folder(), *disk_workers);
  authenticator = std::make_unique<intake::Authenticator>(
      *password_workers, clock, random, settings.auth.cache, settings.auth.password_cost);
  connections = std::make_unique<intake::ConnectionCount>(settings.connections);
  return {};
}

Result<void> Server::Parts::build_delivery() {
  own = {settings.hostname, local_addresses()};
  loops = std::make_unique<LoopPool>(loops_of_machine(), "loop");
  std::vector<delivery::Courier*> all;
  for (std::size_t i = 0; i < loops->size(); ++i) {
    auto& loop = loops->loop(i);
    const delivery::CourierWorld world{loop,
                                       loop,
                                       *resolver,
                                       random,
                                       log,
                                       *client_tls,
                                       settings.delivery,
                                       settings.delivery_timeouts,
                                       own};
    couriers.push_back(std::make_unique<delivery::Courier>(world));
    all.push_back(couriers.back().get());
  }
  const auto is_local = [this](const mail::Address& address) {
    return domains->get()->directory.is_own_domain(address.domain);
  };
  const auto sign_notice = [this](std::string_view message) { return sign(message); };
  delivery::DispatcherWorld world{main_loop(),
                                  clock,
                                  random,
                                  log,
                                  *store,
                                  *mailbox,
                                  std::move(all),
                                  settings.delivery,
                                  settings.hostname,
                                  is_local,
                                  sign_notice};
  dispatcher = std::make_unique<delivery::Dispatcher>(
      std::move(world), queue::RetrySchedule(settings.queue.retry), scheduler_limits(settings));
  return dispatcher->load();
}

// A notice comes from MAILER-DAEMON at the host: the key of the nearest domain above it signs.
std::string Server::Parts::sign(std::string_view notice) const {
  const auto now = clock.wall_now();
  const auto current = domains->get();
  const auto* signers = intake::signers_of(*current, settings.hostname);
  if (signers == nullptr) return {};
  auto fields = mailauth::dkim_sign_message(*signers, notice, {now, now + settings.dkim_expiry()});
  if (fields) return *std::move(fields);
  log.write(Level::error, "a notice could not be signed", {{"reason", fields.error().what}});
  return {};
}

void Server::Parts::build_intake() {
  for (std::size_t i = 0; i < loops->size(); ++i) {
    const intake::SessionWorld world{loops->loop(i),
                                     clock,
                                     random,
                                     log,
                                     *store,
                                     *dispatcher,
                                     *authenticator,
                                     *connections,
                                     *domains,
                                     intake_options,
                                     tls.get()};
    sessions.push_back(std::make_unique<intake::Sessions>(world));
  }
}

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

Result<void> Server::Parts::listen_at(Door door,
                                      const std::vector<Endpoint>& endpoints,
                                      std::vector<Endpoint>& bound) {
  for (const auto& endpoint : endpoints) {
    TAPAL_TRY(auto socket, ListenSocket::tcp(endpoint));
    bound.push_back(socket.local());
    ListenerOptions options;
    options.on_trouble = [this](const Error& error) {
      log.write(Level::error, "cannot accept", {{"reason", error.what}});
    };
    listeners.push_back(std::make_unique<Listener>(
        main_loop(), std::move(socket), session_targets(door), std::move(options)));
  }
  return {};
}

Result<void> Server::Parts::listen() {
  TAPAL_CHECK(listen_at(Door::smtp, settings.listen.smtp, addresses.smtp));
  if (tls != nullptr) {
    TAPAL_CHECK(listen_at(Door::submission, settings.listen.submission, addresses.submission));
    TAPAL_CHECK(listen_at(Door::submissions, settings.listen.submissions, addresses.submissions));
  }
  return listen_for_control();
}

Result<void> Server::Parts::listen_for_control() {
  api::ControlWorld world{
      main_loop(), *dispatcher, *store, *disk_workers, clock, [this] { return reload(); }};
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
  if (tls != nullptr) {
    TAPAL_CHECK(tls->replace(served(folder)));
  }
  domains->set(std::move(next));
  for (const auto& name : changes_that_need_restart(settings, loaded))
    log.write(Level::warning, "this setting takes effect after a restart", {{"setting", name}});
  log.write(Level::info, "configuration reloaded");
  return {};
}

Task<void> Server::Parts::stop_listening() {
  for (auto& listener : listeners) listener->close();
  control_listener->close();
  co_await control->stop();
}

Task<void> Server::Parts::stop_dispatching(std::chrono::seconds grace) {
  dispatcher->stop(grace);
  co_await dispatching->join();
}

void Server::Parts::stop(std::chrono::seconds grace) {
  if (!std::exchange(running, false)) return;
  const auto deadline = clock.now() + grace;
  on_loop(main_loop(), [this] { return stop_listening(); });
  for (std::size_t i = 0; i < loops->size(); ++i)
    on_loop(loops->loop(i), [&on = *sessions[i], deadline] { return on.stop(deadline); });
  on_loop(main_loop(), [this, grace] { return stop_dispatching(grace); });
  resolver->close();
  loops->stop();
  loops->join();
}

Server::Server(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Server::~Server() { parts_->stop(default_grace); }

Result<std::unique_ptr<Server>> Server::start(std::filesystem::path config_folder,
                                              Settings settings,
                                              Log& log) {
  auto parts = std::make_unique<Parts>(std::move(config_folder), std::move(settings), log);
  TAPAL_CHECK(parts->load_configuration());
  TAPAL_CHECK(parts->open_stores());
  TAPAL_CHECK(parts->build_delivery());
  parts->build_intake();
  TAPAL_CHECK(parts->listen());
  parts->loops->start();
  parts->running = true;
  parts->dispatching = std::make_unique<TaskGroup>();
  parts->main_loop().post([&p = *parts] { p.dispatching->spawn(p.dispatcher->run()); });
  log.write(Level::info, "ready", {{"host", parts->settings.hostname}, {"version", TAPAL_VERSION}});
  return std::unique_ptr<Server>(new Server(std::move(parts)));
}

Result<void> Server::reload() { return parts_->reload(); }

void Server::reload_if_changed() { parts_->reload_if_changed(); }

void Server::stop(std::chrono::seconds grace) { parts_->stop(grace); }
ServerAddresses Server::addresses() const { return parts_->addresses; }

}  // namespace tapal::app
