// Challenge texts by way of an account at the zone's DNS provider.
#pragma once

#include "ports/challenge_texts.h"
#include "ports/dns_account.h"

namespace tapal::upkeep {

class AccountTexts final : public ChallengeTexts {
 public:
  explicit AccountTexts(DnsAccount& account) : account_(account) {}  // must outlive it

  Task<Result<void>> add(Loop& loop, std::string name, std::string value) override;
  Task<Result<void>> remove(Loop& loop, std::string name, std::string value) override;

 private:
  DnsAccount& account_;
};

}  // namespace tapal::upkeep
