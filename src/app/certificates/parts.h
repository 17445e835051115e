// What gets certificates, wired: for the running server, and for a command where none runs.
#pragma once

#include <array>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "app/dnsapi/accounts.h"
#include "app/settings/settings.h"
#include "drivers/files/certificate_folder.h"
#include "drivers/files/note_file.h"
#include "drivers/net/http_client.h"
#include "drivers/net/loop.h"
#include "drivers/net/tls.h"
#include "ports/challenge_board.h"
#include "services/upkeep/certificate_keeper.h"
#include "services/upkeep/noted_texts.h"
#include "services/upkeep/record_watch.h"

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
  // Mail to who owns these names; may be empty.
  std::function<Task<void>(std::vector<std::string> names, upkeep::ExpiryLetter letter)> tell;
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

  std::function<Task<void>()> tidying(NetLoop& loop, Log& log);
  Task<void> tidy(NetLoop& loop, Log& log);

  std::unique_ptr<ClientContext> tls_;
  DnsAccounts accounts_;
  std::unique_ptr<ChallengeTexts> texts_;          // null: there is no DNS we can write to
  std::unique_ptr<ChallengeTexts> lasting_texts_;  // the same; hooks write no such records
  files::NoteFile shown_;
  files::NoteFile warned_;
  std::unique_ptr<upkeep::NotedTexts> noted_texts_;
  StreamHttpClient http_;
  files::CertificateFolder files_;
  upkeep::ZoneAuthorities authorities_;
  upkeep::AuthoritiesWatch watch_;
  std::unique_ptr<upkeep::CertificateKeeper> keeper_;
};

files::CertificateFolder certificate_folder(const std::filesystem::path& config,
                                            const Settings& settings);

// Commands of the control socket that answer_cert() knows.
inline constexpr std::array<const char*, 4> cert_commands{
    "cert issue", "cert renew", "cert revoke", "cert account-key"};

// Asks the keeper for what one of these wants; gives the name of the folder, or of the account, as
// JSON:
//   {"command":"cert issue","names":[...],"directory":...,"profile":...,"chain":...}
//   {"command":"cert renew","name":...,"key":"fresh"}, the key being told where it is so
//   {"command":"cert revoke","name":...,"reason":"key-compromise"}
//   {"command":"cert account-key","directory":...}
Task<Result<std::string>> answer_cert(upkeep::CertificateKeeper& keeper, std::string request);

}  // namespace tapal::app
