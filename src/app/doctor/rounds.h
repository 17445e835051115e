// The doctor in the server: one look a day at each of its domains.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "app/mail/owner_mail.h"
#include "app/settings/settings.h"
#include "base/snapshot.h"
#include "drivers/net/loop.h"
#include "drivers/net/tls.h"
#include "ports/http_client.h"
#include "ports/programs.h"
#include "ports/resolver.h"
#include "ports/workers.h"
#include "rules/provision/home.h"
#include "services/delivery/dispatcher.h"
#include "services/intake/domains.h"
#include "services/upkeep/daily_examination.h"
#include "values/dns/public_suffix.h"

namespace tapal::app {

// References must outlive it.
struct DoctorRoundsWorld {
  NetLoop& loop;
  Clock& clock;
  Random& random;
  Log& log;
  Resolver& resolver;
  HttpClient& http;
  ClientContext& tls;
  Workers& workers;  // files are read there
  Programs& programs;
  Store& store;
  delivery::Dispatcher& dispatcher;
  const Settings& settings;
  std::filesystem::path config;
  const Snapshot<intake::Domains>& domains;
  OwnerMailWorld& owner_mail;
};

class DoctorRounds {
 public:
  explicit DoctorRounds(DoctorRoundsWorld world);

  void start();       // on the loop
  Task<void> stop();  // on the loop; waits for questions under way, some seconds at most

 private:
  Task<Result<std::vector<provision::Finding>>> look(std::string domain);
  Task<Result<provision::Home>> home_of(std::string domain);
  std::filesystem::path memory_of(const std::string& domain) const;

  DoctorRoundsWorld world_;
  dns::PublicSuffixes suffixes_;
  std::optional<upkeep::DailyExamination> daily_;
  TaskGroup tasks_;
  bool stopping_ = false;
};

}  // namespace tapal::app
