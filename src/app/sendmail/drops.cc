#include "app/sendmail/drops.h"

#include <utility>

#include "app/settings/settings.h"
#include "drivers/system/system_user.h"
#include "rules/queue/dropped_mail.h"

namespace tapal::app {
namespace {

intake::LocalUser user_of(std::uint32_t id) {
  auto [login, full_name] = name_of_system_user(id);
  return {std::move(login), std::move(full_name)};
}

// Whoever left the mail is gone: nobody waits for the first attempt.
intake::Options without_patience(intake::Options options) {
  options.forward_patience = std::chrono::seconds(0);
  return options;
}

}  // namespace

std::filesystem::path drop_folder(const std::filesystem::path& state_folder) {
  if (state_folder == Settings().state_folder) return "/var/spool/tapal";
  return state_folder / "drop";
}

Drops::Drops(const intake::SessionWorld& session, Workers& workers, std::filesystem::path folder)
    : options_(without_patience(session.options)),
      session_{session.loop,
               session.clock,
               session.random,
               session.log,
               session.store,
               session.return_paths,
               session.queue,
               session.authenticator,
               session.connections,
               session.domains,
               options_},
      workers_(workers),
      path_(std::move(folder)) {}

void Drops::start() {
  auto& log = session_.log;
  auto opened = files::LocalDropFolder::open(path_, queue::dropped_bytes_max);
  if (!opened) {
    log.write(Level::info, "no mail by `tapal sendmail`", {{"reason", opened.error().what}});
    return;
  }
  folder_ = *std::move(opened);
  intake_ = std::make_unique<intake::DropIntake>(
      intake::DropWorld{session_, *folder_, workers_, &user_of});
  auto wake = [this] { session_.loop.post([this] { intake_->wake(); }); };
  if (auto watch = files::FolderWatch::start(path_, std::move(wake))) {
    watch_ = *std::move(watch);
  } else {
    log.write(Level::warning,
              "mail by `tapal sendmail` is looked for once a minute only",
              {{"reason", watch.error().what}});
  }
  tasks_.spawn(intake_->run());
}

// What the watch has posted runs before the loop ends, or never.
Task<void> Drops::stop() {
  watch_.reset();
  if (intake_) intake_->stop();
  co_await tasks_.join();
}

}  // namespace tapal::app
