// What a running server does again and again beside mail: certificates, keys that change, the
// backup.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "app/certificates/parts.h"
#include "app/config/key_files.h"
#include "app/dnsapi/accounts.h"
#include "app/mail/owner_mail.h"
#include "app/settings/settings.h"
#include "drivers/net/loop.h"
#include "ports/challenge_board.h"
#include "ports/http_client.h"
#include "ports/programs.h"
#include "services/api/control.h"
#include "services/upkeep/key_keeper.h"
#include "services/upkeep/repeated.h"
#include "services/upkeep/zone_authorities.h"

namespace tapal::app {

// All of it outlives the upkeep.
struct UpkeepWorld {
  NetLoop& loop;
  Clock& clock;
  Random& random;
  Log& log;
  Resolver& resolver;
  HttpClient& http;  // of `loop`
  Workers& workers;
  Programs& programs;
  ChallengeBoard& challenges;
  std::filesystem::path config;
  const Settings& settings;
  std::function<Result<void>()> take_in;  // the folder has changed; on a worker
  std::function<std::vector<std::string>()> domains;
  OwnerMailWorld& owner_mail;
};

// All on the loop's thread, but for the making.
class Upkeep {
 public:
  explicit Upkeep(UpkeepWorld world);
  void start();
  Task<void> stop();  // begins nothing more
  Task<void> end();   // once DNS no longer holds anybody up

  // Commands of the control socket that this answers.
  std::map<std::string, api::OtherCommand, std::less<>> commands();

 private:
  void open_certificates();
  Task<void> turn_srs();
  Task<void> back_up(std::string message);
  void on_change(std::string what);
  Task<void> tell_owner(std::vector<std::string> names, upkeep::ExpiryLetter letter);

  UpkeepWorld world_;
  DnsAccounts accounts_;
  upkeep::ZoneAuthorities authorities_;
  std::unique_ptr<CertificateParts> certificates_;  // null where their settings are wrong
  KeyFiles key_files_;
  upkeep::KeyKeeper keys_;
  upkeep::Repeated srs_;
  upkeep::Repeated backup_;
  bool is_stopping_ = false;
  bool is_pushing_ = false;
  TaskGroup tasks_;
};

}  // namespace tapal::app
