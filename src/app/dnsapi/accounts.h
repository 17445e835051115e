// The accounts that the settings name, each opened when it is first needed: for the server, and for
// commands that do many things.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "app/dnsapi/account.h"
#include "ports/challenge_texts.h"

namespace tapal::app {

// Belongs to one loop. References must outlive it.
class DnsAccounts {
 public:
  DnsAccounts(const DnsSettings& settings, dnsapi::World world, Log& log)
      : settings_(settings), world_(world), log_(log) {}

  bool any() const;
  // The account for a name; null where a person holds its zone, or the account cannot be opened,
  // which is told once.
  DnsAccount* of(std::string_view name);

 private:
  const DnsSettings& settings_;
  dnsapi::World world_;
  Log& log_;
  // By what they are set to; null: it cannot be opened.
  std::map<const DnsAccountSettings*, std::unique_ptr<DnsAccount>> opened_;
};

// Challenges shown by the account of each name.
class AccountsTexts final : public ChallengeTexts {
 public:
  explicit AccountsTexts(DnsAccounts& accounts) : accounts_(accounts) {}  // must outlive it

  Task<Result<void>> add(Loop& loop, std::string name, std::string value) override;
  Task<Result<void>> remove(Loop& loop, std::string name, std::string value) override;

 private:
  DnsAccounts& accounts_;
};

}  // namespace tapal::app
