#include "app/server/upkeep.h"

#include <algorithm>
#include <utility>

#include "app/backup/config_backup.h"
#include "app/config/srs_keys.h"
#include "values/dns/name.h"

namespace tapal::app {
namespace {

constexpr std::chrono::days look_every{1};

}  // namespace

Upkeep::Upkeep(UpkeepWorld world)
    : world_(std::move(world)),
      accounts_(world_.settings.dns,
                {world_.http, world_.loop, world_.resolver, world_.clock, world_.random},
                world_.log),
      authorities_(world_.resolver, world_.loop),
      key_files_(world_.config, world_.clock),
      keys_({world_.loop,
             world_.clock,
             world_.log,
             world_.resolver,
             world_.workers,
             key_files_,
             [this](std::string_view domain) { return accounts_.of(domain); },
             upkeep::ask_each(authorities_),
             [this](std::string what) { on_change(std::move(what)); },
             world_.settings.keys.dkim}),
      srs_(world_.loop, look_every, [this] { return turn_srs(); }),
      backup_(world_.loop, look_every, [this] { return back_up("edited by hand"); }) {
  open_certificates();
}

// Mail goes on where certificates cannot be looked after.
void Upkeep::open_certificates() {
  CertificateWorld world{
      world_.loop,
      world_.clock,
      world_.log,
      world_.resolver,
      world_.workers,
      world_.programs,
      world_.challenges,
      world_.http,
      world_.random,
      !world_.settings.listen.http.empty(),
      !world_.settings.listen.https.empty(),
      world_.take_in,
      [this](auto names, auto letter) { return tell_owner(std::move(names), std::move(letter)); }};
  auto made = CertificateParts::make(world_.config, world_.settings, std::move(world));
  if (made) {
    certificates_ = *std::move(made);
  } else {
    world_.log.write(Level::error, "certificates are not renewed", {{"reason", made.error().what}});
  }
}

std::map<std::string, api::OtherCommand, std::less<>> Upkeep::commands() {
  std::map<std::string, api::OtherCommand, std::less<>> commands;
  if (certificates_)
    for (const auto* command : cert_commands)
      commands[command] = [&keeper = certificates_->keeper()](std::string request) {
        return answer_cert(keeper, std::move(request));
      };
  return commands;
}

void Upkeep::start() {
  if (certificates_) tasks_.spawn(certificates_->keeper().run());
  tasks_.spawn(keys_.run());
  tasks_.spawn(srs_.run());
  tasks_.spawn(backup_.run());
}

Task<void> Upkeep::stop() {
  if (certificates_) certificates_->keeper().stop();
  keys_.stop();
  srs_.stop();
  backup_.stop();
  is_stopping_ = true;
  // A commit is let end, or it would leave its locks behind; a push may take its time and is not.
  if (is_pushing_) world_.programs.stop();
  co_return;
}

Task<void> Upkeep::end() { co_await tasks_.join(); }

Task<void> Upkeep::turn_srs() {
  const auto turned =
      turn_srs_keys(world_.config, world_.settings.keys.srs_rotate_every, world_.clock.wall_now());
  if (!turned) {
    world_.log.write(
        Level::error, "the key for return paths stays", {{"reason", turned.error().what}});
  } else if (*turned == SrsKeysTurned::yes) {
    world_.log.write(Level::info, "a new key for return paths of forwarded mail");
    on_change("SRS key");
  }
  co_return;
}

// To the domain of ours that one of the names is of, else to the first.
Task<void> Upkeep::tell_owner(std::vector<std::string> names, upkeep::ExpiryLetter letter) {
  const auto own = world_.domains();
  const auto is_named = [&names](const std::string& domain) {
    return std::ranges::any_of(
        names, [&domain](const auto& name) { return dns::is_subdomain_of(name, domain); });
  };
  const auto found = std::ranges::find_if(own, is_named);
  if (own.empty()) co_return;
  auto domain = found == own.end() ? own.front() : *found;
  const auto sent = co_await mail_to_owner(
      world_.owner_mail, std::move(domain), std::move(letter.subject), std::move(letter.text));
  if (!sent)
    world_.log.write(
        Level::warning, "the owner could not be told", {{"reason", sent.error().what}});
}

void Upkeep::on_change(std::string what) { tasks_.spawn(back_up(std::move(what))); }

// Commits what is new, and pushes what could not be pushed before.
Task<void> Upkeep::back_up(std::string message) {
  if (!ConfigBackup::is_there(world_.config)) co_return;
  ConfigBackup backup(world_.loop, world_.programs, world_.config);
  auto done = co_await backup.commit(std::move(message));
  Result<void> pushed;
  if (done && !is_stopping_) {
    is_pushing_ = true;
    pushed = co_await backup.push();
    is_pushing_ = false;
  }
  const auto* trouble = !done ? &done.error() : !pushed ? &pushed.error() : nullptr;
  if (trouble != nullptr)
    world_.log.write(Level::warning, "backup is behind", {{"reason", trouble->what}});
}

}  // namespace tapal::app
