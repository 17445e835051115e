// The parts of a server, in the order in which they are made.
#include "app/server/parts.h"

#include <algorithm>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include "app/backup/closed_state.h"
#include "app/backup/upgrade.h"
#include "app/certificates/challenge_hook.h"
#include "app/cli/program_rights.h"
#include "app/config/domains.h"
#include "app/config/reply_knowledge.h"
#include "app/server/password_upgrade.h"
#include "drivers/files/files.h"
#include "drivers/files/mark_file.h"
#include "drivers/net/addresses.h"
#include "services/intake/admission.h"
#include "services/upkeep/backup_manifest.h"

namespace tapal::app {
namespace {

std::size_t loops_of_machine() { return std::max(1U, std::thread::hardware_concurrency()); }
intake::Options intake_options(const Settings& settings) {
  return {.host_name = settings.hostname,
          .trusted_networks = settings.relay.trusted_networks,
          .dkim_lifetime = settings.dkim_expiry(),
          .limits = settings.limits,
          .check_time_max = settings.checks.time_max,
          .remedies = settings.forward.remedies,
          .bulk_users = settings.bulk_users,
          .seals_arc = settings.forward.arc,
          .uses_junk_folder = settings.mailbox.junk_folder,
          .forward_patience = settings.forward.patience,
          .receiving_memory_max = settings.receiving_memory / loops_of_machine()};
}

queue::SchedulerLimits scheduler_limits(const Settings& settings) {
  queue::SchedulerLimits limits;
  const auto& delivery = settings.delivery;
  limits.attempts_at_once_max = delivery.connections_max;
  limits.retries_at_once_max = std::max<std::size_t>(1, delivery.connections_max * 4 / 5);
  limits.attempts_per_site_max = delivery.connections_per_destination_max;
  limits.recipients_per_transaction_max = delivery.recipients_per_transaction_max;
  limits.messages_waiting_max = settings.queue.messages_max;
  limits.give_up = settings.queue.retry.give_up;
  return limits;
}

}  // namespace

std::vector<ServedCertificate> served(const files::ConfigFolder& folder) {
  std::vector<ServedCertificate> out;
  out.reserve(folder.certificates.size());
  for (const auto& certificate : folder.certificates)
    out.push_back({{}, certificate.chain_pem, certificate.key_pem, certificate.chain_file});
  return out;
}

Server::Parts::Parts(std::filesystem::path folder, Settings given, Log& to)
    : config_folder(std::move(folder)),
      settings(std::move(given)),
      troubles(to, clock),
      events(troubles),
      intake_options(app::intake_options(settings)) {}

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
  tls = ServerContext::without_certificate(std::move(server_tls));
  TAPAL_CHECK(take_up_certificates(folder));
  if (!tls->is_ready())
    log.write(Level::warning,
              "no certificate: no TLS, and nobody can log in; see `tapal config check`");
  ClientTlsOptions outbound{.trusted_ca_file = settings.tls.trusted_ca_file,
                            .least_version = settings.tls.minimum_version};
  TAPAL_TRY(client_tls, ClientContext::make(outbound));
  return {};
}

// Once there were some, those in use stay in place of none.
Result<void> Server::Parts::take_up_certificates(const files::ConfigFolder& folder) {
  if (folder.certificates.empty() && !tls->is_ready()) return {};
  TAPAL_CHECK(tls->replace(served(folder)));
  certificates_seen = tell_certificates(folder.certificates, certificates_seen, *tls, log);
  return {};
}

Result<void> Server::Parts::open_stores() {
  TAPAL_CHECK(files::create_folder(settings.state_folder, 0700));
  TAPAL_CHECK(check_state_is_open(settings.state_folder));
  TAPAL_TRY(const auto upgraded, upgrade_spool(settings.spool.folder, Before::is_kept));
  if (upgraded) tell(log, *upgraded);
  body_workers = std::make_unique<WorkerPool>(
      WorkerPoolOptions{.threads = 4, .waiting_max = 10'000, .name = "body"});
  settings.spool.workers = body_workers.get();
  TAPAL_TRY(store, RocksdbStore::open(settings.spool, &log));
  return_paths = std::make_unique<intake::ReturnPaths>(*store);
  TAPAL_CHECK(return_paths->take_in());
  TAPAL_TRY(resolver, UnboundResolver::open(settings.resolver));
  password_workers = std::make_unique<WorkerPool>(
      WorkerPoolOptions{.threads = settings.workers.password_threads, .name = "password"});
  disk_workers = std::make_unique<WorkerPool>(
      WorkerPoolOptions{.threads = 4, .waiting_max = 10'000, .name = "disk"});
  mailbox = std::make_unique<files::MaildirMailbox>(settings.mail_folder(), *disk_workers);
  program_workers = std::make_unique<WorkerPool>(WorkerPoolOptions{
      .threads = settings.programs.at_once_max, .waiting_max = 10'000, .name = "program"});
  TAPAL_TRY(auto rights, program_rights(settings.programs.user, ::geteuid()));
  programs = std::make_unique<ProgramRunner>(*program_workers, std::move(rights));
  authenticator = std::make_unique<intake::Authenticator>(
      *password_workers,
      clock,
      random,
      settings.auth,
      password_upgrade(config_folder, settings.auth.password_cost, log));
  connections = std::make_unique<ConnectionCount>(settings.connections);
  return {};
}

Result<void> Server::Parts::build_delivery() {
  own = {settings.hostname, local_addresses()};
  loops = std::make_unique<LoopPool>(loops_of_machine(), "loop");
  TAPAL_TRY(providers, load_providers(config_folder));
  egress = std::make_unique<Egress>(
      EgressWorld{main_loop(), clock, log, *resolver, *store, settings, providers});
  TAPAL_CHECK(egress->load());
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
                                       own,
                                       egress->table()};
    couriers.push_back(std::make_unique<delivery::Courier>(world));
    all.push_back(couriers.back().get());
  }
  const auto is_local = [this](const mail::Address& address) {
    return domains->get()->directory.has_mailboxes(address.domain);
  };
  http = std::make_unique<StreamHttpClient>(
      HttpWorld{main_loop(), main_loop(), *resolver, *client_tls});
  TAPAL_TRY(marks,
            files::MarkFile::open(std::filesystem::path(settings.state_folder) / upkeep::marks_name,
                                  settings.delivery.connections_max));
  sites = std::make_unique<delivery::Sites>(
      delivery::SitesWorld{main_loop(), *resolver, random, settings.delivery, own, providers});
  carriers = std::make_unique<delivery::Carriers>(delivery::CarriersWorld{main_loop(),
                                                                          clock,
                                                                          std::move(all),
                                                                          *mailbox,
                                                                          *programs,
                                                                          *http,
                                                                          settings.delivery,
                                                                          *sites,
                                                                          is_local});
  TAPAL_TRY(bounce_rules, load_bounce_rules(config_folder));
  const auto category_of = [this](const queue::Outcome& outcome) {
    return std::string(bounce::row_of(bounce_rules->diagnose(outcome).category).name);
  };
  const auto sign_notice = [this](std::string_view message) {
    return sign(settings.hostname, message);
  };
  delivery::DispatcherWorld world{main_loop(),
                                  clock,
                                  random,
                                  log,
                                  *store,
                                  *store,
                                  *carriers,
                                  egress->shaper(),
                                  &egress->memory(),
                                  marks.get(),
                                  settings.delivery,
                                  settings.hostname,
                                  sign_notice,
                                  category_of,
                                  [this](const auto& sender) { return place_notice(sender); }};
  dispatcher = std::make_unique<delivery::Dispatcher>(
      std::move(world), queue::RetrySchedule(settings.queue.retry), scheduler_limits(settings));
  dispatcher->load();
  return {};
}

// A notice comes from MAILER-DAEMON at the host: the key of the nearest domain above it signs.
std::string Server::Parts::sign(std::string_view domain, std::string_view notice) const {
  const auto now = clock.wall_now();
  const auto current = domains->get();
  const auto* signers = intake::signers_of(*current, domain);
  if (signers == nullptr) return {};
  auto fields = mailauth::dkim_sign_message(*signers, notice, {now, now + settings.dkim_expiry()});
  if (fields) return *std::move(fields);
  log.write(Level::error, "a notice could not be signed", {{"reason", fields.error().what}});
  return {};
}

std::vector<mail::Recipient> Server::Parts::place_notice(const mail::Recipient& sender) const {
  const intake::Client ourselves{.standing = intake::Client::Standing::trusted, .user = {}};
  const intake::Passage passage{{}, clock.wall_now(), return_paths.get()};
  std::vector<mail::Recipient> recipients;
  if (auto placed = intake::place_recipient(*domains->get(), ourselves, passage, sender))
    for (auto& one : *placed) recipients.push_back(std::move(one.recipient));
  return recipients;
}

void Server::Parts::build_intake() {
  inspectors = std::make_unique<Inspectors>(
      settings.filters,
      InspectorsWorld{*loops, clock, log, *resolver, *client_tls, *programs, *store});
  for (std::size_t i = 0; i < loops->size(); ++i) {
    const intake::SessionWorld world{loops->loop(i),
                                     clock,
                                     random,
                                     log,
                                     *store,
                                     *return_paths,
                                     *dispatcher,
                                     *authenticator,
                                     *connections,
                                     *domains,
                                     intake_options,
                                     tls.get(),
                                     &confirmations,
                                     &inspectors->of_loop(i)};
    sessions.push_back(std::make_unique<intake::Sessions>(world));
  }
}

// What programs of this machine hand to `tapal sendmail`.
void Server::Parts::open_drops() {
  const intake::SessionWorld world{main_loop(),
                                   clock,
                                   random,
                                   log,
                                   *store,
                                   *return_paths,
                                   *dispatcher,
                                   *authenticator,
                                   *connections,
                                   *domains,
                                   intake_options};
  drops = std::make_unique<Drops>(world, *disk_workers, drop_folder(settings.state_folder));
}

void Server::Parts::build_upkeep() {
  owner_mail = std::make_unique<OwnerMailWorld>(
      OwnerMailWorld{main_loop(),
                     clock,
                     random,
                     *store,
                     *dispatcher,
                     [this](auto domain, auto message) { return sign(domain, message); },
                     [this](const auto& to) { return place_notice(to); }});
  upkeep =
      std::make_unique<Upkeep>(UpkeepWorld{main_loop(),
                                           clock,
                                           random,
                                           log,
                                           *resolver,
                                           *http,
                                           *disk_workers,
                                           *programs,
                                           challenges,
                                           config_folder,
                                           settings,
                                           [this] { return reload(); },
                                           [this] { return domains->get()->directory.domains(); },
                                           *owner_mail});
  doctor = std::make_unique<DoctorRounds>(DoctorRoundsWorld{main_loop(),
                                                            clock,
                                                            random,
                                                            log,
                                                            *resolver,
                                                            *http,
                                                            *client_tls,
                                                            *disk_workers,
                                                            *programs,
                                                            *store,
                                                            *dispatcher,
                                                            settings,
                                                            config_folder,
                                                            *domains,
                                                            *owner_mail});
}

}  // namespace tapal::app
