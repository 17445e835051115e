#include "app/doctor/rounds.h"

#include <memory>
#include <utility>

#include "app/config/public_suffix_file.h"
#include "app/doctor/home.h"
#include "app/doctor/upkeep.h"
#include "drivers/files/files.h"
#include "services/upkeep/examination.h"

namespace tapal::app {
namespace {

constexpr std::size_t memory_bytes_max = 1UL << 20U;

dns::PublicSuffixes suffixes() {
  auto loaded = load_public_suffixes();
  return loaded ? *std::move(loaded) : dns::PublicSuffixes::built_in();
}

// When the oldest message came. Reads the spool.
std::chrono::seconds age_of_oldest(Store& store, WallTime now) {
  std::chrono::seconds age{0};
  static_cast<void>(store.scan({}, [&](const queue::Message& message) {
    age = std::chrono::floor<std::chrono::seconds>(now - message.arrived);
    return false;
  }));
  return age;
}

}  // namespace

DoctorRounds::DoctorRounds(DoctorRoundsWorld world)
    : world_(std::move(world)), suffixes_(suffixes()) {}

void DoctorRounds::start() {
  if (!world_.settings.doctor.daily) return;
  upkeep::DailyExaminationWorld daily{
      .loop = world_.loop,
      .log = world_.log,
      .domains = [this] { return world_.domains.get()->directory.domains(); },
      .look = [this](std::string domain) { return look(std::move(domain)); },
      .load =
          [this](const std::string& domain) {
            return files::read_file(memory_of(domain), memory_bytes_max).value_or(std::string());
          },
      .save = [this](const std::string& domain, const std::string& text) -> Result<void> {
        TAPAL_CHECK(files::create_folder(memory_of(domain).parent_path(), 0700));
        return files::write_atomically(memory_of(domain), text, 0600);
      },
      .tell =
          [this](std::string domain, std::string subject, std::string text) {
            return mail_to_owner(
                world_.owner_mail, std::move(domain), std::move(subject), std::move(text));
          },
      .first_after = world_.settings.doctor.first_after};
  daily_.emplace(std::move(daily));
  tasks_.spawn(daily_->run());
}

Task<void> DoctorRounds::stop() {
  stopping_ = true;
  if (daily_) daily_->stop();
  co_await tasks_.join();
}

std::filesystem::path DoctorRounds::memory_of(const std::string& domain) const {
  return std::filesystem::path(world_.settings.state_folder) / "doctor" / domain;
}

Task<Result<provision::Home>> DoctorRounds::home_of(std::string domain) {
  const auto now = world_.clock.wall_now();
  const auto counts = world_.dispatcher.counts();
  auto gather = [this, &domain, now, &counts]() -> Result<provision::Home> {
    auto folder = std::make_shared<const files::ConfigFolder>(files::load_config_folder(
        {world_.config, world_.settings.certificates_folder(world_.config)}));
    const DoctorPlace place{world_.config, domain, {}};
    TAPAL_TRY(auto home, make_home(place, world_.settings, folder, now));
    home.queue = provision::QueueFacts{
        counts.messages, counts.waiting, counts.held, age_of_oldest(world_.store, now)};
    return home;
  };
  auto home = co_await run_on(world_.workers, world_.loop, std::move(gather));
  if (!home) co_return std::unexpected(std::move(home).error());
  co_return *std::move(home);
}

Task<Result<std::vector<provision::Finding>>> DoctorRounds::look(std::string domain) {
  TAPAL_CO_TRY(auto home, co_await home_of(std::move(domain)));
  const dnsapi::World accounts{
      world_.http, world_.loop, world_.resolver, world_.clock, world_.random};
  DoctorUpkeepWorld at_home{
      world_.loop, world_.programs, world_.settings.dns, accounts, world_.config};
  std::vector<std::string> all;
  auto whole = co_await with_upkeep(std::move(home), std::move(at_home), std::move(all));
  provision::Examination examination(std::move(whole), suffixes_);
  upkeep::ExaminationWorld world{.resolver = world_.resolver,
                                 .http = world_.http,
                                 .clock = world_.clock,
                                 .probes = {.loop = world_.loop,
                                            .network = world_.loop,
                                            .tls = world_.tls,
                                            .certificates_of = peer_certificates},
                                 .is_stopping = [this] { return stopping_; }};
  co_await upkeep::examine(std::move(world), examination);
  if (stopping_) co_return fail(Code::try_later, "the server stops");
  co_return examination.findings();
}

}  // namespace tapal::app
