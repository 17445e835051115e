// Carries out a DNS plan: every set is noted in the journal before and after, written at the
// account, and waited for at each authoritative server. What was half done is settled from what is
// there; what was done can be taken back exactly.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/task.h"
#include "ports/clock.h"
#include "ports/dns_account.h"
#include "ports/loop.h"
#include "rules/provision/journal_entry.h"
#include "rules/provision/plan.h"
#include "services/upkeep/published_records.h"
#include "services/upkeep/zone_authorities.h"

namespace tapal::upkeep {

// Where changes are noted: one at a time, kept in the order of their ids. Whoever makes it holds
// the lock against a second run.
struct ChangeJournal {
  virtual ~ChangeJournal() = default;
  // Oldest first. Code::invalid names an entry that cannot be read.
  virtual Result<std::vector<provision::JournalEntry>> entries() = 0;
  virtual Result<void> put(const provision::JournalEntry& entry) = 0;  // in one step, synced
};

struct DnsChangeOptions {
  std::chrono::seconds patience{120};   // until every server shows a change
  std::chrono::seconds first_pause{1};  // between two rounds; doubled up to the longest
  std::chrono::seconds longest_pause{10};
};

// A server that does not show what was written.
struct LaggingServer {
  std::string server;
  std::string what;  // "mail.example.com A: it has 192.0.2.9"
};

// Those that do not show the sets now. Errors: those of ZoneAuthorities::find().
Task<Result<std::vector<LaggingServer>>> servers_behind(Loop& loop,
                                                        ZoneAuthorities& authorities,
                                                        std::vector<dns::RecordSet> sets);

class DnsChange {
 public:
  struct World {  // all must outlive the tasks
    DnsAccount& account;
    ZoneAuthorities& authorities;
    ChangeJournal& journal;
    Clock& clock;
  };
  DnsChange(World world, DnsChangeOptions options) : world_(world), options_(options) {}

  // Called with what is waited for; may be empty.
  std::function<void(std::string_view)> tell;

  // Writes what `plan` writes. An Error leaves the entry "begun": rollback() takes back what was
  // written, the next plan goes on from what is there.
  Task<Result<provision::JournalEntry>> apply(Loop& loop, provision::Plan plan);
  // Servers that do not show the sets when patience ends; none is what is hoped for.
  Task<Result<std::vector<LaggingServer>>> wait_until_shown(Loop& loop,
                                                            std::vector<dns::RecordSet> sets);
  // Entries that were begun and never ended become what they came to.
  Task<Result<void>> settle(Loop& loop);
  // The domain's last change that stands is taken back. Errors: not_found (there is none), invalid
  // (a set was changed by somebody else since: it is named, nothing is written).
  Task<Result<provision::JournalEntry>> rollback(Loop& loop, std::string domain);

 private:
  Task<Result<void>> write(Loop& loop, std::vector<provision::ChangedSet> sets);
  Task<Result<dns::RecordSet>> read(Loop& loop, const provision::ChangedSet& set);
  Task<Result<void>> settle_entry(Loop& loop, provision::JournalEntry entry);
  Task<Result<std::vector<provision::ChangedSet>>> sets_to_restore(
      Loop& loop, const provision::JournalEntry& entry);

  World world_;
  DnsChangeOptions options_;
};

}  // namespace tapal::upkeep
