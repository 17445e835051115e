// What a running server does again and again beside mail: keys that change, the backup.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "app/key_files.h"
#include "app/settings.h"
#include "ports/dns_account.h"
#include "ports/programs.h"
#include "services/upkeep/key_keeper.h"
#include "services/upkeep/repeated.h"

namespace tapal::app {

// All of it outlives the upkeep.
struct UpkeepWorld {
  Loop& loop;
  Network& network;  // of the loop
  const Clock& clock;
  Log& log;
  Resolver& resolver;
  Workers& workers;
  Programs& programs;
  std::filesystem::path config;
  const Settings& settings;
  // Who holds a domain's zone; empty: a person.
  std::function<DnsAccount*(std::string_view domain)> account = {};
};

// All on the loop's thread.
class Upkeep {
 public:
  explicit Upkeep(UpkeepWorld world);
  void start();
  Task<void> stop();  // begins nothing more
  Task<void> end();   // once DNS no longer holds anybody up

 private:
  Task<void> turn_srs();
  Task<void> back_up(std::string message);
  void on_change(std::string what);

  UpkeepWorld world_;
  KeyFiles key_files_;
  upkeep::ZoneAuthorities authorities_;
  upkeep::KeyKeeper keys_;
  upkeep::Repeated srs_;
  upkeep::Repeated backup_;
  bool is_stopping_ = false;
  bool is_pushing_ = false;
  TaskGroup tasks_;
};

}  // namespace tapal::app
