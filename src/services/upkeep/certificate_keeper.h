// Gets certificates and renews them in time, one order after the other: keeps keys, accounts and
// notes, has the server take the new files, tells other programs by hooks, and warns of ends. No
// key is used that DANE does not show yet (RFC 7671 section 8.1); where a name has TLSA records and
// DNS can be written, the next key's is added in time and those of past keys are taken away.
// Certificates of others are only watched.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ports/dns_account.h"
#include "ports/kept_note.h"
#include "ports/log.h"
#include "ports/programs.h"
#include "ports/workers.h"
#include "protocols/acme/errand.h"
#include "services/upkeep/certificate_note.h"
#include "services/upkeep/certificate_order.h"
#include "services/upkeep/expiry_warnings.h"

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
  // Takes away what a run that was killed left in DNS. Once, before the first order. May be empty.
  std::function<Task<void>()> tidy;
  // Mail to who owns these names. May be empty.
  std::function<Task<void>(std::vector<std::string> names, ExpiryLetter letter)> tell;
  KeptNote* warned = nullptr;  // what was warned of; null: nobody is to be warned twice in one run
  // Who holds a name's zone, where DNS can be written; null, or empty: a person.
  std::function<DnsAccount*(std::string_view name)> account = nullptr;
};

// Which key the next certificate has.
enum class KeyChoice : std::uint8_t {
  announced,  // that came with the last one, once its TLSA records are seen
  fresh,      // made now: others may know the announced one, too
};

struct CertificateWish {
  std::vector<std::string> names;  // the first names the folder, but for "*."
  std::string directory_url;       // empty: the option's
  std::string profile;             // empty: the option's
  std::string preferred_chain;     // as acme::OrderWish has it
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
  Task<Result<std::string>> renew(std::string name, KeyChoice choice = KeyChoice::announced);
  // Tells its authority that it is good no more (RFC 8555 section 7.6), and gets another, with a
  // fresh key, in its place. Errors: those of renew().
  Task<Result<std::string>> revoke(std::string name, acme::RevocationReason reason);
  // The account there gets another key (RFC 8555 section 7.3.5); empty: at the option's authority.
  // Gives the account's name. Code::not_found: there is no account.
  Task<Result<std::string>> change_account_key(std::string directory_url);

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
    std::string old_chain_pem;
    bool is_remembered = false;  // a failure of this order is kept over restarts
    KeyChoice key = KeyChoice::announced;
  };
  struct Keys {
    crypto::PrivateKey key;
    std::string next_pem;     // of the one after; empty: it is made when it is needed
    std::string dropped_pem;  // was announced, and will not be used; empty: none
  };

  using Kept = std::vector<KeptCertificate>;
  struct Pins {  // TLSA records of the server's own keys
    std::vector<dns::Data> shown;
    std::vector<dns::Data> gone;  // of keys that are used no more
  };

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
  Task<void> begin();
  Task<void> warn(const KeptCertificate& kept, const crypto::CertificateFacts& facts);
  Task<Result<Target>> target_of(std::string name);
  Task<void> ask_for_window(Target& target);
  Task<Result<void>> order(Target target);
  Task<Result<void>> try_order(Target& target, acme::Problem& problem);
  Task<OrderEnd> place(const Target& target, const Account& account, const crypto::PrivateKey& key);
  Task<Result<void>> keep(Target& target, const Keys& keys, std::string chain_pem);
  Task<void> remember_failure(Target target, acme::Problem problem);
  Task<Result<Account>> account_for(std::string directory_url);
  Task<Result<void>> keep_account(const Account& account, std::string directory_url);
  Task<Result<Keys>> keys_for(const Target& target);
  Task<std::string> unpinned(const std::vector<std::string>& names, const crypto::PrivateKey& key);
  Task<void> show_keys(std::string folder,
                       const crypto::CertificateFacts& facts,
                       std::vector<dns::Data> gone);
  static std::vector<dns::Data> past_pins(const Target& target,
                                          const Keys& keys,
                                          const crypto::CertificateFacts& facts);
  Task<void> pin(const std::vector<std::string>& names, const Pins& pins);
  Task<Result<bool>> pin_at(DnsAccount& account, std::string place, const Pins& pins);
  Task<Result<void>> do_errand(acme::Errand errand);
  Task<void> run_hooks(std::string folder);

  KeeperWorld world_;
  KeeperOptions options_;
  std::unique_ptr<Timer> timer_;
  std::unique_ptr<CertificateOrder> under_way_;
  bool is_busy_ = false;
  bool stopped_ = false;
  bool has_begun_ = false;
  ExpiryWarnings warnings_;
  // By folder; notes have them too, unless the disk is full.
  std::map<std::string, CertificateNote::Failure, std::less<>> failures_;
};

// The segment of a path that an authority's accounts are kept under: its host and path.
std::string account_name(std::string_view directory_url);
// The folder for a certificate of these names.
std::string folder_name(const std::vector<std::string>& names);

}  // namespace tapal::upkeep
