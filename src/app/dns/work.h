// What the commands about a domain's DNS records share: the facts, the journal, the account if
// there is one, and a loop to work on.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "app/cli/once.h"
#include "app/dns/journal.h"
#include "app/dns/mail_identity.h"
#include "app/dnsapi/account.h"
#include "drivers/system/clock.h"
#include "services/upkeep/dns_planning.h"

namespace tapal::app {

struct DnsWorkOptions {
  IdentityOptions identity;
  bool take_mx = false;
  bool take_host = false;
  bool join_reports = false;
  DnsAccountSettings account;
  std::string dns_server;
  std::int64_t authority_port = 53;
  std::int64_t patience = 120;  // seconds
};
// The domain, what may be told better about it, and how DNS is reached.
void declare_dns_work(const Command& command, DnsWorkOptions& into);

class DnsWork {
 public:
  static Result<std::unique_ptr<DnsWork>> open(const CommonOptions& common,
                                               const DnsWorkOptions& options);

  const provision::MailIdentity& identity() const { return identity_; }
  DnsJournal& journal() { return journal_; }
  Clock& clock() { return clock_; }
  Resolver& resolver() { return account_->resolver(); }
  // Of the zone's provider; empty where there is none.
  const std::string& provider() const { return account_->account().provider; }
  const upkeep::AuthorityOptions& authorities() const { return authorities_; }
  const upkeep::DnsChangeOptions& change_options() const { return change_options_; }
  // With what the journal knows to be ours.
  Result<provision::PlanOptions> plan_options();

  // Both run use(loop, ...), a Task<Result<Value>>, to its end.
  template <class Value, class Use>
  Result<Value> run_with_account(Use use) {
    return account_->run<Value>(
        [&](NetLoop& loop, DnsAccount& account) { return use(loop, account); });
  }
  template <class Value, class Use>
  Result<Value> run(Use use) {
    return run_once<Result<Value>>([&](NetLoop& loop) { return use(loop); });
  }

 private:
  DnsWork(const Settings& settings, const DnsWorkOptions& options);

  provision::MailIdentity identity_;
  provision::PlanOptions plan_options_;
  DnsJournal journal_;
  std::unique_ptr<DnsAccountRun> account_;
  SystemClock clock_;
  upkeep::AuthorityOptions authorities_;
  upkeep::DnsChangeOptions change_options_;
};

// What is to be done, by what the account has or, without one, by what DNS shows.
enum class PublishedBy : std::uint8_t { account_or_dns, dns };
Result<upkeep::DnsPlanning> plan_for(DnsWork& work, PublishedBy source);

}  // namespace tapal::app
