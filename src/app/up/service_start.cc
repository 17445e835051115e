#include "app/up/service_start.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "app/cli/control_client.h"
#include "app/cli/system_programs.h"
#include "app/sendmail/drops.h"
#include "drivers/files/files.h"
#include "drivers/files/ownership.h"
#include "drivers/system/detached_program.h"
#include "drivers/system/system_user.h"
#include "values/text/ascii.h"

namespace tapal::shipped {
std::string_view service_unit();
std::string_view service_user();
std::string_view service_folders();
}  // namespace tapal::shipped

namespace tapal::app {
namespace {

namespace fs = std::filesystem;

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

// Its text. The machine's owner comes before a package, and that before us. Nothing: there is none.
std::optional<std::string> installed_unit(const fs::path& root) {
  for (const auto* folder : {"etc/systemd/system", "lib/systemd/system", "usr/lib/systemd/system"})
    if (auto unit = files::read_file(root / folder / unit_name)) return *std::move(unit);
  return {};
}

// A shipped text, which names the usual places, for these.
std::string in_its_places(std::string_view shipped, const ServiceFacts& facts) {
  const std::array<std::pair<std::string_view, std::string>, 4> places{
      {{"/usr/bin/tapal", facts.program},
       {"/etc/tapal", facts.config},
       {"/var/lib/tapal", facts.state},
       {"/var/spool/tapal", drop_folder(facts.state)}}};
  std::string text;
  while (!shipped.empty()) {
    const auto* const place = std::ranges::find_if(
        places, [&](const auto& usual) { return shipped.starts_with(usual.first); });
    const bool is_place = place != places.end();
    text += is_place ? std::string_view(place->second) : shipped.substr(0, 1);
    shipped.remove_prefix(is_place ? place->first.size() : 1);
  }
  return text;
}

// What systemd would take for more than a path.
Result<void> check_paths(const ServiceFacts& facts) {
  for (const auto& path : {facts.program, facts.config, facts.state})
    if (path.string().find_first_of(" \t\n\"'\\%$;") != std::string::npos)
      return fail(Code::invalid,
                  fmt::format("a service's folders have plain names, without blanks or quotes: {}",
                              text::printable(path.string())));
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
  TAPAL_CHECK(check_paths(facts));
  const auto users = root / "etc/sysusers.d/tapal.conf";
  const auto folders = root / "etc/tmpfiles.d/tapal.conf";
  const auto unit = root / "etc/systemd/system" / unit_name;
  auto text = service_unit(facts);
  for (const auto& [file, content] :
       {std::pair(users, service_user(facts)), {folders, service_folders(facts)}, {unit, text}}) {
    TAPAL_CHECK(files::create_folder(file.parent_path(), 0755));
    TAPAL_CHECK(files::write_atomically(file, content, 0644));
  }
  TAPAL_CHECK(ask_program({"systemd-sysusers", users.string()}));
  TAPAL_CHECK(ask_program({"systemd-tmpfiles", "--create", folders.string()}));
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

// As the state folder's user where that is not root, with the one right that the unit gives, too.
Result<void> start_alone(const ServiceFacts& facts, const fs::path& log) {
  std::vector<std::string> words{facts.program, "serve", "--config", facts.config};
  const auto owner = files::owner_to_follow(facts.state);
  if (!owner) return start_detached(words, log);
  const std::vector<std::string> become{find_program("setpriv"),
                                        fmt::format("--reuid={}", owner->user),
                                        fmt::format("--regid={}", owner->group),
                                        "--clear-groups",
                                        "--inh-caps=-all,+net_bind_service",
                                        "--ambient-caps=-all,+net_bind_service"};
  words.insert(words.begin(), become.begin(), become.end());
  TAPAL_CHECK(start_detached(words, log));
  return files::give_folder(facts.state, *owner);  // the log was opened by root
}

}  // namespace

std::string service_unit(const ServiceFacts& facts) {
  return in_its_places(shipped::service_unit(), facts);
}

std::string service_user(const ServiceFacts& facts) {
  return in_its_places(shipped::service_user(), facts);
}

std::string service_folders(const ServiceFacts& facts) {
  return in_its_places(shipped::service_folders(), facts);
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
  TAPAL_CHECK(start_alone(facts, log));
  TAPAL_CHECK(wait_until_it_runs(settings, log.string()));
  return ServiceStart::detached;
}

}  // namespace tapal::app
