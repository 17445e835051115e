// Challenge texts written by the DNS accounts of the settings: each zone's own, else the one for
// all.
#pragma once

#include "app/settings.h"
#include "drivers/dnsapi/providers.h"
#include "ports/challenge_texts.h"

namespace tapal::app {

class DnsTexts final : public ChallengeTexts {
 public:
  // What both refer to must outlive it.
  DnsTexts(const DnsSettings& settings, dnsapi::World world) : settings_(settings), world_(world) {}

  Task<Result<void>> add(Loop& loop, std::string name, std::string value) override;
  Task<Result<void>> remove(Loop& loop, std::string name, std::string value) override;

 private:
  const DnsSettings& settings_;
  dnsapi::World world_;
};

// Whether there is any account.
bool has_dns_account(const DnsSettings& settings);

}  // namespace tapal::app
