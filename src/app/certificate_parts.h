// What gets certificates, wired: for the running server, and for a command where none runs.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "app/dns_accounts.h"
#include "app/settings.h"
#include "drivers/files/certificate_folder.h"
#include "drivers/net/http_client.h"
#include "drivers/net/loop.h"
#include "drivers/net/tls.h"
#include "ports/challenge_board.h"
#include "services/upkeep/certificate_keeper.h"
#include "services/upkeep/text_watch.h"

namespace tapal::app {

// References must outlive the parts.
struct CertificateWorld {
  NetLoop& loop;
  Clock& clock;
  Log& log;
  Resolver& resolver;
  Workers& workers;
  Programs& programs;
  ChallengeBoard& board;
  HttpClient& http;  // of `loop`
  Random& random;
  bool listens_http = false;  // the board is shown there
  bool listens_https = false;
  std::function<Result<void>()> take_in;
};

class CertificateParts {
 public:
  // The Error names the setting or file that is wrong.
  static Result<std::unique_ptr<CertificateParts>> make(const std::filesystem::path& config,
                                                        const Settings& settings,
                                                        CertificateWorld world);

  upkeep::CertificateKeeper& keeper() { return *keeper_; }

 private:
  CertificateParts(const std::filesystem::path& config,
                   const Settings& settings,
                   const CertificateWorld& world,
                   std::unique_ptr<ClientContext> tls);

  std::unique_ptr<ClientContext> tls_;
  DnsAccounts accounts_;
  std::unique_ptr<ChallengeTexts> texts_;  // null: there is no DNS we can write to
  StreamHttpClient http_;
  files::CertificateFolder files_;
  upkeep::ZoneAuthorities authorities_;
  upkeep::AuthoritiesWatch watch_;
  std::unique_ptr<upkeep::CertificateKeeper> keeper_;
};

files::CertificateFolder certificate_folder(const std::filesystem::path& config,
                                            const Settings& settings);

// Asks the keeper for what {"command":"cert issue","names":[...],"directory":...,"profile":...} or
// {"command":"cert renew","name":...} wants; gives the folder's name as JSON.
Task<Result<std::string>> answer_cert(upkeep::CertificateKeeper& keeper, std::string request);

}  // namespace tapal::app
