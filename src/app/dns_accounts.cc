#include "app/dns_accounts.h"

#include <utility>

#include "app/dns_account.h"

namespace tapal::app {

DnsAccount* DnsAccounts::of(std::string_view name) {
  const auto& settings = dns_account_of(settings_, name);
  if (settings.provider.empty()) return nullptr;
  auto& account = open_[&settings];
  if (account != nullptr) return account.get();
  auto opened = open_dns_account(settings, world_);
  if (opened) {
    account = *std::move(opened);
  } else {
    log_.write(Level::error,
               "the DNS account cannot be used",
               {{"name", std::string(name)}, {"reason", opened.error().what}});
  }
  return account.get();
}

}  // namespace tapal::app
