#include "app/dns_texts.h"

#include <utility>

#include "app/dns_account.h"
#include "services/upkeep/account_texts.h"

namespace tapal::app {

// Opened each time: credentials may have been replaced since.
Task<Result<void>> DnsTexts::add(Loop& loop, std::string name, std::string value) {
  TAPAL_CO_TRY(const auto account, open_dns_account(dns_account_of(settings_, name), world_));
  upkeep::AccountTexts texts(*account);
  co_return co_await texts.add(loop, std::move(name), std::move(value));
}

Task<Result<void>> DnsTexts::remove(Loop& loop, std::string name, std::string value) {
  TAPAL_CO_TRY(const auto account, open_dns_account(dns_account_of(settings_, name), world_));
  upkeep::AccountTexts texts(*account);
  co_return co_await texts.remove(loop, std::move(name), std::move(value));
}

bool has_dns_account(const DnsSettings& settings) {
  return !settings.account.provider.empty() || !settings.zones.empty();
}

}  // namespace tapal::app
