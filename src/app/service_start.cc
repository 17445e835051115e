#include "app/service_start.h"

#include <array>
#include <chrono>
#include <thread>

#include <fmt/format.h>

#include "app/control_client.h"
#include "app/once.h"
#include "drivers/files/files.h"
#include "drivers/system/detached_program.h"
#include "drivers/system/program_runner.h"
#include "drivers/system/worker_pool.h"

namespace tapal::app {
namespace {

constexpr std::string_view unit_name = "tapal.service";
constexpr std::chrono::seconds start_patience{60};
constexpr std::chrono::milliseconds look_every{100};

bool runs(const Settings& settings) {
  return ask_server(settings.control_socket(), R"({"command":"status"})").has_value();
}

Result<void> wait_until_it_runs(const Settings& settings, std::string_view where_it_tells) {
  const auto end = std::chrono::steady_clock::now() + start_patience;
  while (!runs(settings)) {
    if (std::chrono::steady_clock::now() > end)
      return fail(
          Code::timed_out,
          fmt::format("the server does not answer; what it said stands in {}", where_it_tells));
    std::this_thread::sleep_for(look_every);
  }
  return {};
}

// A package's own unit comes before ours.
bool has_unit() {
  for (const auto* folder :
       {"/etc/systemd/system", "/lib/systemd/system", "/usr/lib/systemd/system"})
    if (std::filesystem::exists(std::filesystem::path(folder) / unit_name)) return true;
  return false;
}

Result<void> systemctl(std::vector<std::string> words) {
  words.insert(words.begin(), "/usr/bin/systemctl");
  WorkerPool workers({.threads = 1});
  ProgramRunner programs(workers);
  const auto end = run_once<Result<ProgramEnd>>(
      [&](NetLoop& loop) { return programs.run(loop, ProgramRun{.arguments = words}); });
  if (!end) return std::unexpected(end.error());
  if (end->exit_code != 0)
    return fail(Code::internal, fmt::format("{}: {}", fmt::join(words, " "), end->error_output));
  return {};
}

Result<void> start_by_systemd(const ServiceFacts& facts) {
  if (!has_unit()) {
    const auto file = std::filesystem::path("/etc/systemd/system") / unit_name;
    TAPAL_CHECK(files::write_atomically(file, service_unit(facts), 0644));
    TAPAL_CHECK(systemctl({"daemon-reload"}));
  }
  return systemctl({"enable", "--now", std::string(unit_name)});
}

}  // namespace

std::string service_unit(const ServiceFacts& facts) {
  return fmt::format(R"([Unit]
Description=tapal mail server
Documentation=man:tapal(1)
Wants=network-online.target
After=network-online.target nss-lookup.target time-sync.target

[Service]
Type=notify
ExecStart={} serve --config {}
ExecReload=/bin/kill -HUP $MAINPID
Restart=on-failure
RestartSec=2s
WatchdogSec=60s
TimeoutStopSec=60s
LimitNOFILE=65536
UMask=0077

AmbientCapabilities=CAP_NET_BIND_SERVICE
CapabilityBoundingSet=CAP_NET_BIND_SERVICE CAP_DAC_OVERRIDE CAP_CHOWN CAP_FOWNER CAP_SETUID CAP_SETGID
NoNewPrivileges=yes
ProtectSystem=strict
ReadWritePaths={} {}
ProtectHome=read-only
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service

[Install]
WantedBy=multi-user.target
)",
                     facts.program.string(),
                     facts.config.string(),
                     facts.config.string(),
                     facts.state.string());
}

Result<ServiceStart> ensure_service_runs(const CommonOptions& common, const Settings& settings) {
  if (runs(settings)) {
    if (!take_effect(common)) return fail(Code::invalid, "the running server keeps to what it had");
    return ServiceStart::was_running;
  }
  const ServiceFacts facts{std::filesystem::read_symlink("/proc/self/exe"),
                           std::filesystem::absolute(common.config),
                           std::filesystem::absolute(settings.state_folder)};
  TAPAL_CHECK(files::create_folder(facts.state, 0700));
  if (std::filesystem::exists("/run/systemd/system")) {
    TAPAL_CHECK(start_by_systemd(facts));
    TAPAL_CHECK(wait_until_it_runs(settings, "journalctl -u tapal"));
    return ServiceStart::by_systemd;
  }
  const auto log = facts.state / "tapal.log";
  TAPAL_CHECK(
      start_detached({facts.program.string(), "serve", "--config", facts.config.string()}, log));
  TAPAL_CHECK(wait_until_it_runs(settings, log.string()));
  return ServiceStart::detached;
}

}  // namespace tapal::app
