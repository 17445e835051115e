#include "rules/account/directory.h"

#include <algorithm>

#include "values/text/ascii.h"

namespace tapal::account {

void Directory::add_domain(std::string_view domain,
                           std::vector<UserRecord> users,
                           DomainSettings settings) {
  Domain& into = domains_[text::to_lower(domain)];
  into.settings = std::move(settings);
  for (UserRecord& user : users) {
    if (!into.by_key.try_emplace(user.address.key(), into.users.size()).second) continue;
    into.users.push_back(std::move(user));
    ++user_count_;
  }
}

bool Directory::is_own_domain(std::string_view domain) const {
  return domains_.contains(text::to_lower(domain));
}

std::vector<std::string> Directory::domains() const {
  std::vector<std::string> names;
  names.reserve(domains_.size());
  for (const auto& [name, domain] : domains_) names.push_back(name);
  return names;
}

std::span<const UserRecord> Directory::users(std::string_view domain) const {
  const auto found = domains_.find(text::to_lower(domain));
  if (found == domains_.end()) return {};
  return found->second.users;
}

const DomainSettings* Directory::settings(std::string_view domain) const {
  const auto found = domains_.find(text::to_lower(domain));
  return found == domains_.end() ? nullptr : &found->second.settings;
}

bool Directory::has_mailboxes(std::string_view domain) const {
  const auto* settings = this->settings(domain);
  // With "send+forward" that is where postmaster's mail ends when nobody said otherwise.
  return settings != nullptr &&
         (settings->role == Role::receive || settings->role == Role::send_forward);
}

const UserRecord* Directory::find_exactly(const mail::Address& address) const {
  const auto domain = domains_.find(address.domain);
  if (domain == domains_.end()) return nullptr;
  const auto user = domain->second.by_key.find(address.key());
  return user == domain->second.by_key.end() ? nullptr : &domain->second.users[user->second];
}

const UserRecord* Directory::find(const mail::Address& address) const {
  const UserRecord* user = find_exactly(address);
  return user ? user : find_exactly(without_suffix(address));
}

const UserRecord* Directory::find_login(std::string_view login) const {
  const auto address = mail::parse_address(login);
  return address ? find_exactly(*address) : nullptr;
}

bool Directory::may_send_as(const UserRecord& user,
                            const mail::Address& as,
                            std::span<const mail::Address> as_resolved) const {
  const std::string key = as.key();
  for (const Grant& grant : user.grants) {
    const bool matches = grant.address ? grant.address->key() == key : grant.domain == as.domain;
    if (matches) return true;
  }
  const std::string own = user.address.key();
  if (const UserRecord* other = find(as)) return other->address.key() == own;
  return std::ranges::any_of(as_resolved, [&](const mail::Address& to) { return to.key() == own; });
}

mail::Address without_suffix(mail::Address address) {
  const std::size_t plus = address.local.find('+');
  if (plus != std::string::npos && plus != 0) address.local.resize(plus);
  return address;
}

}  // namespace tapal::account
