#include <csignal>
#include <ctime>

#include <fmt/format.h>
#include <pthread.h>

#include "app/backup/upgrade.h"
#include "app/commands/commands.h"
#include "app/server/server.h"
#include "drivers/files/ownership.h"
#include "drivers/system/clock.h"
#include "drivers/system/log_sinks.h"
#include "drivers/system/service_manager.h"
#include "drivers/system/system_user.h"

namespace tapal::app {
namespace {

constexpr std::chrono::seconds look_at_files_every{5};
constexpr std::chrono::seconds grace{20};

std::unique_ptr<Log> make_log(const LogSettings& settings, const Clock& clock) {
  switch (settings.format) {
    case LogFormat::text: return std::make_unique<TextLog>(2, clock, settings.level);
    case LogFormat::json: return std::make_unique<JsonLog>(2, clock, settings.level);
    case LogFormat::journal: return std::make_unique<JournalLog>(settings.level);
    case LogFormat::automatic: break;
  }
  return default_log(clock, settings.level);
}

// The signals that ask something of us, blocked in every thread and taken by the main one.
class SignalInbox {
 public:
  SignalInbox() {
    sigemptyset(&set_);
    for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set_, number);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
  }
  // The next signal, or 0 when none came in time.
  int wait_for(Duration time) const {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
    const timespec wait{.tv_sec = seconds.count(),
                        .tv_nsec = std::chrono::nanoseconds(time - seconds).count()};
    const int number = sigtimedwait(&set_, nullptr, &wait);
    return number < 0 ? 0 : number;
  }

 private:
  sigset_t set_{};
};

void reload(Server& server, Log& log) {
  notify_reloading();
  if (const auto done = server.reload(); !done)
    log.write(
        Level::error, "the changed configuration is not used", {{"reason", done.error().what}});
  notify_ready("running");
}

// While a loop hangs systemd hears nothing from us; then it ends us, and starts us again.
void tell_alive(Server& server, Log& log) {
  if (!server.is_alive())
    return log.write(Level::error, "an event loop hangs; if it goes on, the watchdog restarts us");
  notify_watchdog();
  server.tell_status();
}

void watch(Server& server, Log& log, const SignalInbox& inbox) {
  const auto watchdog = watchdog_interval();
  const Duration every =
      watchdog ? std::min<Duration>(*watchdog, look_at_files_every) : look_at_files_every;
  for (;;) {
    const int number = inbox.wait_for(every);
    if (number == SIGHUP) {
      reload(server, log);
    } else if (number != 0) {
      log.write(Level::info, "stopping", {{"signal", number == SIGTERM ? "SIGTERM" : "SIGINT"}});
      return;
    } else {
      server.reload_if_changed();
    }
    if (watchdog) tell_alive(server, log);
  }
}

// What root's server makes in its state folder would be closed to the one of the folder's user.
Result<void> check_user(const std::string& state_folder) {
  const auto owner = files::owner_to_follow(state_folder);
  if (!owner) return {};
  return fail(Code::denied,
              fmt::format("{0} is {1}'s, and root must not run a server there: `systemctl start "
                          "tapal`, or `setpriv --reuid={1} ... tapal serve`",
                          state_folder,
                          name_of_system_user(owner->user).login));
}

int run_serve(const CommonOptions& common) {
  const SignalInbox inbox;  // before any thread is made
  const auto upgraded = upgrade_config(common.config);
  if (!upgraded) return tell(upgraded.error());
  auto settings = load_settings(common.config);
  if (!settings) return tell(settings.error());
  if (const auto may = check_user(settings->state_folder); !may) return tell(may.error());
  const SystemClock clock;
  const auto log = make_log(settings->log, clock);
  if (const auto& upgrade = *upgraded) tell(*log, *upgrade);
  auto handed = HandedSockets::take();
  auto server = handed
                    ? Server::start(common.config, *std::move(settings), *log, *std::move(handed))
                    : std::unexpected(handed.error());
  if (!server) {
    log->write(Level::error, "cannot start", {{"reason", server.error().what}});
    return exit_failed;
  }
  notify_ready("running");
  watch(**server, *log, inbox);
  notify_stopping();
  (*server)->stop(grace);
  log->write(Level::info, "stopped");
  return exit_done;
}

}  // namespace

void declare_serve(const Command& tapal) {
  tapal.add("serve", "run the server in the foreground", "serve --config /etc/tapal")
      .runs(&run_serve);
}

}  // namespace tapal::app
