#include "app/dnsapi/accounts.h"

#include <utility>

#include <fmt/format.h>

#include "services/upkeep/account_texts.h"

namespace tapal::app {
namespace {

std::unexpected<Error> nobody(std::string_view name) {
  return fail(Code::not_found,
              fmt::format("no account at a DNS provider is set that could write {}", name));
}

}  // namespace

bool DnsAccounts::any() const {
  return !settings_.account.provider.empty() || !settings_.zones.empty();
}

DnsAccount* DnsAccounts::of(std::string_view name) {
  const auto& account = dns_account_of(settings_, name);
  if (account.provider.empty()) return nullptr;
  const auto known = opened_.find(&account);
  if (known != opened_.end()) return known->second.get();
  auto opened = open_dns_account(account, world_);
  if (!opened)
    log_.write(Level::error,
               "DNS cannot be written",
               {{"provider", account.provider}, {"reason", opened.error().what}});
  return opened_.emplace(&account, opened ? *std::move(opened) : nullptr).first->second.get();
}

Task<Result<void>> AccountsTexts::add(Loop& loop, std::string name, std::string value) {
  auto* account = accounts_.of(name);
  if (account == nullptr) co_return nobody(name);
  upkeep::AccountTexts texts(*account);
  co_return co_await texts.add(loop, std::move(name), std::move(value));
}

Task<Result<void>> AccountsTexts::remove(Loop& loop, std::string name, std::string value) {
  auto* account = accounts_.of(name);
  if (account == nullptr) co_return nobody(name);
  upkeep::AccountTexts texts(*account);
  co_return co_await texts.remove(loop, std::move(name), std::move(value));
}

}  // namespace tapal::app
