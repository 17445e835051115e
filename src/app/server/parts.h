// What a running server is made of, and how it is built. Known to the server alone.
#pragma once

#include <atomic>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "app/certificates/swap.h"
#include "app/doctor/rounds.h"
#include "app/mail/owner_mail.h"
#include "app/sendmail/drops.h"
#include "app/server/egress.h"
#include "app/server/handed_sockets.h"
#include "app/server/heartbeat.h"
#include "app/server/inspectors.h"
#include "app/server/server.h"
#include "app/server/upkeep.h"
#include "app/server/web_front.h"
#include "app/settings/settings.h"
#include "drivers/files/config_folder.h"
#include "drivers/files/folder_marks.h"
#include "drivers/files/maildir.h"
#include "drivers/net/listener.h"
#include "drivers/net/loop.h"
#include "drivers/net/tls.h"
#include "drivers/resolver/unbound_resolver.h"
#include "drivers/system/clock.h"
#include "drivers/system/program_runner.h"
#include "drivers/system/random.h"
#include "drivers/system/worker_pool.h"
#include "ports/challenge_board.h"
#include "ports/challenge_texts.h"
#include "rules/bounce/bounce_rules.h"
#include "services/api/control.h"
#include "services/api/recent_troubles.h"
#include "services/delivery/dispatcher.h"
#include "services/intake/smtp_session.h"

namespace tapal::app {

// When the folders were last changed, as far as can be seen.
struct Marks {
  files::FolderMarks configuration;
  files::FolderMarks certificates;
  bool operator==(const Marks&) const = default;
};

struct Server::Parts {
  std::filesystem::path config_folder;
  Settings settings;
  SystemClock clock;
  api::RecentTroubles troubles;  // before the log that was given
  api::EventWatch events;        // before that
  Log& log = events;
  SystemRandom random;
  intake::Options intake_options;
  delivery::OwnNames own;
  HandedSockets handed;
  WallTime started{};
  std::mutex reload_mutex;  // guards what follows
  Marks seen;               // of the folders when they were last read
  Fingerprints certificates_seen;
  ServerAddresses addresses;

  std::unique_ptr<Snapshot<intake::Domains>> domains;
  std::unique_ptr<ServerContext> tls;  // not ready until there is a certificate
  ChallengeBoard challenges;
  std::unique_ptr<ClientContext> client_tls;
  std::unique_ptr<UnboundResolver> resolver;
  std::unique_ptr<WorkerPool> body_workers;
  std::unique_ptr<RocksdbStore> store;
  std::unique_ptr<intake::ReturnPaths> return_paths;
  std::unique_ptr<WorkerPool> password_workers;
  std::unique_ptr<WorkerPool> disk_workers;
  std::unique_ptr<files::MaildirMailbox> mailbox;
  std::unique_ptr<WorkerPool> program_workers;
  std::unique_ptr<ProgramRunner> programs;
  std::unique_ptr<intake::Authenticator> authenticator;
  std::unique_ptr<ConnectionCount> connections;
  api::ConfirmationWatch confirmations;
  std::unique_ptr<LoopPool> loops;
  shaping::ProviderTable providers;
  std::unique_ptr<Egress> egress;
  std::vector<std::unique_ptr<delivery::Courier>> couriers;
  std::unique_ptr<StreamHttpClient> http;  // of the main loop
  std::unique_ptr<FinalDotMarks> marks;
  std::optional<bounce::BounceRules> bounce_rules;
  std::unique_ptr<delivery::Sites> sites;
  std::unique_ptr<delivery::Carriers> carriers;
  std::unique_ptr<delivery::Dispatcher> dispatcher;
  std::unique_ptr<TaskGroup> dispatching;
  std::unique_ptr<Inspectors> inspectors;
  std::vector<std::unique_ptr<intake::Sessions>> sessions;
  std::vector<std::unique_ptr<Listener>> listeners;
  std::unique_ptr<api::Control> control;
  std::unique_ptr<Listener> control_listener;
  std::unique_ptr<WebFront> web;
  std::unique_ptr<OwnerMailWorld> owner_mail;
  std::unique_ptr<Upkeep> upkeep;
  std::unique_ptr<DoctorRounds> doctor;
  std::unique_ptr<Drops> drops;
  std::unique_ptr<Heartbeat> heartbeat;
  std::atomic<bool> running = false;
  bool submission_is_open = false;  // as reload_mutex guards it
  bool closing = false;             // belongs to the main loop

  Parts(std::filesystem::path folder, Settings given, Log& to);

  NetLoop& main_loop() { return loops->loop(0); }
  Marks take_marks() const;
  Result<files::ConfigFolder> load_folder();
  Result<void> load_configuration();
  Result<void> open_stores();
  Result<void> build_delivery();
  void build_intake();
  void build_upkeep();
  void open_drops();
  Result<void> listen();
  Result<void> listen_for_submission();  // with reload_mutex held, or before anything runs
  Task<void> accept_later(std::vector<ListenSocket> explicit_tls,
                          std::vector<ListenSocket> implicit_tls);
  Result<void> listen_for_control();
  Task<Result<std::string>> answer_overview();  // on the main loop
  Task<Result<std::string>> make_checkpoint();  // the same
  Result<void> listen_for_web();
  void accept_at(intake::Door door, std::vector<ListenSocket> sockets);  // on the main loop
  std::vector<AcceptTarget> session_targets(intake::Door door);
  // The DKIM-Signature fields of a notice from `domain`; empty where it cannot be signed.
  std::string sign(std::string_view domain, std::string_view notice) const;
  std::vector<mail::Recipient> place_notice(const mail::Recipient& sender) const;
  Result<void> reload();
  void reload_if_changed();
  Result<void> take_in_changes();                                        // with reload_mutex held
  Result<void> take_up_certificates(const files::ConfigFolder& folder);  // the same
  Task<void> stop_listening();
  Task<void> stop_dispatching(std::chrono::seconds grace);
  void stop(std::chrono::seconds grace);
};

// As TLS contexts take them.
std::vector<ServedCertificate> served(const files::ConfigFolder& folder);

}  // namespace tapal::app
