// Gets certificates and renews them in time, one order after the other: keeps keys, accounts and
// notes, has the server take the new files, tells other programs by hooks, and warns of ends.
// Certificates of others are only watched.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ports/log.h"
#include "ports/programs.h"
#include "ports/workers.h"
#include "services/upkeep/certificate_note.h"
#include "services/upkeep/certificate_order.h"

namespace tapal::upkeep {

struct KeeperOptions {
  std::string directory_url;
  std::string contact;  // an address of mail; may be empty
  std::string profile;  // may be empty
  std::optional<acme::ExternalAccount> external;
  std::vector<std::string> names;          // of the certificate that is to be there; may be empty
  std::vector<acme::ChallengeKind> kinds;  // that can be answered here, the preferred first
};

// References must outlive the keeper.
struct KeeperWorld {
  OrderWorld order;
  Log& log;
  Workers& workers;
  Programs& programs;
  CertificateFiles& files;
  // The files are there: makes whoever serves them take them in. On a worker. May be empty.
  std::function<Result<void>()> take_in;
  // The programs that are told of a certificate's new files, in their order. On a worker. May be
  // empty.
  std::function<std::vector<ProgramRun>(const std::string& folder)> hooks;
};

struct CertificateWish {
  std::vector<std::string> names;  // the first names the folder, but for "*."
  std::string directory_url;       // empty: the option's
  std::string profile;             // empty: the option's
};

class CertificateKeeper {
 public:
  CertificateKeeper(KeeperWorld world, KeeperOptions options);

  Task<void> run();  // renews what is due, until stop()
  void stop();       // also ends an order under way

  // Orders at once. Code::full: another order is under way; denied: that folder holds another
  // program's certificate; else what is in the way. Gives the name of its folder.
  Task<Result<std::string>> issue(CertificateWish wish);
  // The same for one that is there. Code::not_found: it is not, or is none of ours.
  Task<Result<std::string>> renew(std::string name);

 private:
  struct Account {
    std::string name;
    crypto::PrivateKey key;
    std::string url;
  };
  struct Target {  // of an order
    std::string folder;
    CertificateNote note;
    std::optional<crypto::CertificateFacts> old;
    bool has_note = false;  // on disk
  };

  using Kept = std::vector<KeptCertificate>;

  // From before the first thing that is waited for: one order at a time.
  class Busy {
   public:
    explicit Busy(bool& flag) : flag_(flag) { flag_ = true; }
    ~Busy() { flag_ = false; }
    Busy(const Busy&) = delete;
    Busy& operator=(const Busy&) = delete;

   private:
    bool& flag_;
  };

  Task<WallTime> round();  // when to look again
  Task<WallTime> look_at(KeptCertificate kept);
  Task<WallTime> look_for_wanted(const Kept& kept);
  void warn(const KeptCertificate& kept, const crypto::CertificateFacts& facts);
  Task<void> ask_for_window(Target& target);
  Task<Result<void>> order(Target target);
  Task<Result<void>> try_order(Target& target, acme::Problem& problem);
  Task<OrderEnd> place(const Target& target, const Account& account, const crypto::PrivateKey& key);
  Task<Result<void>> keep(Target& target, const crypto::PrivateKey& key, std::string chain_pem);
  Task<void> remember_failure(Target target, acme::Problem problem);
  Task<Result<Account>> account_for(std::string directory_url);
  Task<Result<void>> keep_account(const Account& account, std::string directory_url);
  Task<Result<crypto::PrivateKey>> key_for(std::string folder);
  Task<void> run_hooks(std::string folder);

  KeeperWorld world_;
  KeeperOptions options_;
  std::unique_ptr<Timer> timer_;
  std::unique_ptr<CertificateOrder> under_way_;
  bool is_busy_ = false;
  bool stopped_ = false;
  std::map<std::string, int> warned_;  // by name and end: the days already warned of
  // By folder; notes have them too, but not of a first order, nor when the disk is full.
  std::map<std::string, CertificateNote::Failure, std::less<>> failures_;
};

// The segment of a path that an authority's accounts are kept under: its host and path.
std::string account_name(std::string_view directory_url);
// The folder for a certificate of these names.
std::string folder_name(const std::vector<std::string>& names);

}  // namespace tapal::upkeep
