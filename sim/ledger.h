// The accounting of all mail of one world: what was submitted, what was promised, what became of
// each recipient. It sees what the outside sees, never what the server thinks.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "ports/mail_queue.h"
#include "rules/queue/message.h"
#include "sim/chronicle.h"
#include "sim/wire.h"

namespace tapal::sim {

// One message as its sender wrote it. Its number is in its header, its envelope id and its
// recipients' addresses, so that whatever comes out anywhere can be told apart.
struct Mail {
  std::uint64_t number = 0;
  std::string sender;
  std::vector<std::string> recipients;
  std::string text;
};

// A copy that arrived: what the receiver had said, to tell whether the server can know of it.
struct Receipt {
  std::shared_ptr<const Wire> wire;           // null: the server knows
  std::shared_ptr<const std::uint64_t> said;  // by the receiver, up to the end of its yes
  bool forgotten = false;                     // the server knew, until its power was cut
  bool server_knows() const { return !forgotten && (!wire || wire->client_heard(*said)); }
};

struct Fate {
  std::uint64_t mail = 0;
  std::vector<Receipt> copies;
  std::set<std::uint64_t> in_mailbox;  // queue ids
  std::set<std::uint64_t> notices;     // of failure, by queue id
  std::set<std::uint64_t> told;        // by the session that waited, of instances
  bool refused = false;                // by a receiver, for good
};

class Ledger {
 public:
  explicit Ledger(Chronicle& chronicle) : chronicle_(chronicle) {}

  Mail& submit(std::string sender, std::vector<std::string> recipients, std::string body);
  // The server said 250 and this id.
  void acknowledged(std::uint64_t mail, QueueId id);
  // The spool keeps an instance of a mail: more than one when a client heard no answer.
  void stored(const queue::Message& message);
  // An instance came back by a recovery; these recipients are to be tried (again).
  void recovered(const queue::Message& message);
  // A session waited for the first attempt at its only recipient, and told this.
  void tried(const queue::Message& message, FirstTry::Result result);
  // A person threw the instance away.
  void dropped(QueueId id);

  void delivered(const std::string& recipient, std::string_view text, Receipt receipt);
  // The same message in the same mailbox again replaces the copy that is there.
  void put_into_mailbox(const std::string& user, QueueId id, std::string_view text);
  void refused(const std::string& recipient);
  void told(QueueId notice, std::string_view text);  // a notice has come to its reader
  void removed(QueueId id, WallTime now);            // the spool forgets an instance

  // At the end of a world that had time enough.
  void judge() const;

  struct Sums {
    std::uint64_t mails = 0, acknowledged = 0, recipients = 0, delivered = 0, bounced = 0;
    std::uint64_t duplicates = 0, dropped = 0;
    Sums& operator+=(const Sums& more);
  };
  Sums sums() const;
  // Instances that the spool has, as far as is known.
  std::vector<QueueId> open_ids() const;

  // Wall time from acceptance after which a recipient may fail without a refusal.
  std::chrono::seconds give_up = std::chrono::days(5);

 private:
  struct Account {
    Mail mail;
    std::set<std::uint64_t> instances;
    bool acknowledged = false;
    bool dropped = false;
  };
  Fate* fate_of(const std::string& recipient, std::string_view text);
  static std::string key(std::string_view recipient, std::uint64_t mail);
  const Account* account_of(QueueId id) const;
  static std::uint64_t ends_explained(const Account& account, const Fate& fate);
  void judge(const Account& account, const std::string& recipient) const;

  Chronicle& chronicle_;
  std::map<std::uint64_t, Account> accounts_;        // by mail number
  std::map<std::uint64_t, std::uint64_t> instance_;  // queue id -> mail number
  std::map<std::uint64_t, WallTime> arrived_;        // by queue id, on the server's clock
  std::set<std::uint64_t> open_;                     // queue ids
  std::map<std::string, Fate> fates_;                // by key()
};

}  // namespace tapal::sim
