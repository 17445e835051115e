// Our own domains and their users; who may send as whom. A value: load a new one to change it.
// It knows nothing of aliases: the caller resolves them first.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "rules/account/domain_settings.h"
#include "rules/account/user_record.h"

namespace tapal::account {

class Directory {
 public:
  // Adds to the domain's users when it is there already; a user given twice keeps the first record.
  // `domain` in the form of mail::Address::domain.
  void add_domain(std::string_view domain,
                  std::vector<UserRecord> users,
                  DomainSettings settings = {});

  bool is_own_domain(std::string_view domain) const;                 // case does not matter
  std::vector<std::string> domains() const;                          // sorted
  std::span<const UserRecord> users(std::string_view domain) const;  // in the file's order
  const DomainSettings* settings(std::string_view domain) const;     // null: not our domain
  // Whether mail for the domain ends in mailboxes here, and does not go on to its MX.
  bool has_mailboxes(std::string_view domain) const;
  std::size_t user_count() const { return user_count_; }

  // The user an address belongs to: name@domain or name+suffix@domain, case does not matter.
  // Nothing when there is none. Points into this directory.
  const UserRecord* find(const mail::Address& address) const;

  // The user a login name means: the whole address, without a suffix.
  const UserRecord* find_login(std::string_view login) const;

  // Whether `user` may be the sender `as`: the own address, its suffixed forms, what may-send-as
  // grants, and what `as` resolves to by the aliases (`as_resolved`: the users who stand behind
  // `as`, empty when it is no address of ours). Another user's own address needs a grant, also
  // when copies of that user's mail come here by an alias.
  bool may_send_as(const UserRecord& user,
                   const mail::Address& as,
                   std::span<const mail::Address> as_resolved) const;

 private:
  struct Domain {
    DomainSettings settings;
    std::vector<UserRecord> users;
    std::unordered_map<std::string, std::size_t> by_key;  // mail::Address::key()
  };
  const UserRecord* find_exactly(const mail::Address& address) const;

  std::map<std::string, Domain, std::less<>> domains_;
  std::size_t user_count_ = 0;
};

// "user+suffix" without "+suffix"; nothing changes when there is none or nothing would be left.
mail::Address without_suffix(mail::Address address);

}  // namespace tapal::account
