#include "app/upkeep.h"

#include <utility>

#include "app/config_backup.h"
#include "app/srs_keys.h"

namespace tapal::app {
namespace {

constexpr std::chrono::days look_every{1};

}  // namespace

Upkeep::Upkeep(UpkeepWorld world)
    : world_(std::move(world)),
      key_files_(world_.config, world_.clock),
      authorities_(world_.resolver, world_.network),
      keys_({world_.loop,
             world_.clock,
             world_.log,
             world_.resolver,
             world_.workers,
             key_files_,
             world_.account,
             upkeep::ask_each(authorities_),
             [this](std::string what) { on_change(std::move(what)); },
             world_.settings.keys.dkim}),
      srs_(world_.loop, look_every, [this] { return turn_srs(); }),
      backup_(world_.loop, look_every, [this] { return back_up("edited by hand"); }) {}

void Upkeep::start() {
  tasks_.spawn(keys_.run());
  tasks_.spawn(srs_.run());
  tasks_.spawn(backup_.run());
}

Task<void> Upkeep::stop() {
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
