#include "app/up/service_start.h"

#include <chrono>
#include <optional>
#include <thread>

#include <fmt/format.h>

#include "app/cli/control_client.h"
#include "app/cli/system_programs.h"
#include "drivers/files/files.h"
#include "drivers/files/ownership.h"
#include "drivers/system/detached_program.h"
#include "drivers/system/system_user.h"
#include "values/text/ascii.h"

namespace tapal::app {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view unit_name = "tapal.service";
constexpr std::string_view service_user = "tapal";
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

// Its text. The machine's owner comes before a package, and that before us. Nothing: there is none.
std::optional<std::string> installed_unit(const fs::path& root) {
  for (const auto* folder : {"etc/systemd/system", "lib/systemd/system", "usr/lib/systemd/system"})
    if (auto unit = files::read_file(root / folder / unit_name)) return *std::move(unit);
  return {};
}

// Others than root may not look into the homes of people, and so not start what is there.
Result<void> check_place(const fs::path& program) {
  for (const std::string_view home : {"/root/", "/home/"})
    if (program.string().starts_with(home))
      return fail(Code::denied,
                  fmt::format("a service cannot be started from {0}: install it first, as with "
                              "`install {0} /usr/local/bin/tapal`, and run that",
                              program.string()));
  return {};
}

Result<std::string> install_unit(const ServiceFacts& facts, const fs::path& root) {
  TAPAL_CHECK(check_place(facts.program));
  const auto users = root / "etc/sysusers.d/tapal.conf";
  const auto unit = root / "etc/systemd/system" / unit_name;
  for (const auto& file : {users, unit}) {
    TAPAL_CHECK(files::create_folder(file.parent_path(), 0755));
  }
  TAPAL_CHECK(files::write_atomically(users, service_user_line(facts), 0644));
  TAPAL_CHECK(ask_program({"systemd-sysusers", users.string()}));
  auto text = service_unit(facts);
  TAPAL_CHECK(files::write_atomically(unit, text, 0644));
  TAPAL_CHECK(ask_program({"systemctl", "daemon-reload"}));
  return text;
}

Result<void> give_to_user_of(std::string_view unit, const ServiceFacts& facts) {
  const auto name = user_of_unit(unit);
  if (name.empty() || name == "root") return {};
  TAPAL_TRY(const auto user, find_system_user(name));
  for (const auto& folder : {facts.config, facts.state}) {
    TAPAL_CHECK(files::give_folder(folder, {user.id, user.group}));
  }
  return {};
}

Result<void> prepare_unit(const ServiceFacts& facts, const fs::path& root) {
  auto unit = installed_unit(root);
  if (!unit) {
    TAPAL_TRY(unit, install_unit(facts, root));
  }
  return give_to_user_of(*unit, facts);
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
NotifyAccess=main
User={}
Group={}
ExecStart={} serve --config {}
ExecReload=/bin/kill -HUP $MAINPID
Restart=on-failure
RestartSec=2s
WatchdogSec=60s
TimeoutStopSec=60s
LimitNOFILE=65536
UMask=0077

AmbientCapabilities=CAP_NET_BIND_SERVICE
CapabilityBoundingSet=CAP_NET_BIND_SERVICE
NoNewPrivileges=yes
ProtectSystem=strict
ReadWritePaths={} {}
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
ProcSubset=pid
RemoveIPC=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
)",
                     service_user,
                     service_user,
                     facts.program.string(),
                     facts.config.string(),
                     facts.config.string(),
                     facts.state.string());
}

std::string service_user_line(const ServiceFacts& facts) {
  return fmt::format("# Written by tapal up.\nu {} - \"tapal mail server\" {}\n",
                     service_user,
                     facts.state.string());
}

std::string user_of_unit(std::string_view unit) {
  constexpr std::string_view key = "User=";
  std::string_view user;
  for (const auto line : text::split(unit, '\n'))
    if (line.starts_with(key)) user = text::trim(line.substr(key.size()));
  return std::string(user);
}

Result<ServiceStart> ensure_service_runs(const CommonOptions& common,
                                         const Settings& settings,
                                         const fs::path& root) {
  const ServiceFacts facts{fs::read_symlink("/proc/self/exe"),
                           fs::absolute(common.config),
                           fs::absolute(settings.state_folder)};
  TAPAL_CHECK(files::create_folder(facts.state, 0700));
  const bool has_systemd = fs::exists(root / "run/systemd/system");
  if (has_systemd) {
    TAPAL_CHECK(prepare_unit(facts, root));
  }
  if (runs(settings)) {
    if (!take_effect(common)) return fail(Code::invalid, "the running server keeps to what it had");
    return ServiceStart::was_running;
  }
  if (has_systemd) {
    TAPAL_CHECK(ask_program({"systemctl", "enable", "--now", std::string(unit_name)}));
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
