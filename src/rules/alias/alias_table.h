// Who gets the mail sent to an address of ours: users, aliases, suffixes, catch-all. Everything is
// expanded when the table is built, so that asking is one look-up and cannot loop.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "values/mail/address.h"

namespace tapal::alias {

inline constexpr std::size_t alias_depth_max = 10;  // aliases that lead to aliases

// What is known of one own domain.
struct DomainInput {
  std::string domain;              // in the form of mail::Address::domain
  std::vector<std::string> users;  // local parts in the file's order
  bool users_are_complete =
      true;                  // false: its users file has problems; missing targets are not told
  std::string aliases_text;  // empty when there is no file
  std::string aliases_file;  // its name for messages
};

struct Resolution {
  enum class Status : std::uint8_t { users, unknown_user, not_our_domain };
  Status status = Status::not_our_domain;
  std::vector<mail::Address> users;  // each once; empty unless Status::users
};

class AliasTable {
 public:
  Resolution resolve(const mail::Address& address) const;

 private:
  friend class AliasTableBuilder;
  struct Domain {
    std::unordered_map<std::string, std::vector<std::uint32_t>> by_key;  // users and aliases
    std::vector<std::uint32_t> catch_all;
  };
  std::vector<mail::Address> users_;
  std::map<std::string, Domain, std::less<>> domains_;
};

// problems: "file:line: what", each makes the table unfit for use. notices: what people should
// know, such as where postmaster's mail goes when nobody said.
struct BuiltAliasTable {
  AliasTable table;
  std::vector<std::string> problems;
  std::vector<std::string> notices;
};

// An alias named like a user stands before the user, and may name that user as a target.
// postmaster and abuse always lead somewhere when the domain has a user (RFC 5321 section 4.5.1,
// RFC 2142): without an alias, a user or a catch-all they lead to its first user.
BuiltAliasTable build_alias_table(std::span<const DomainInput> domains);

}  // namespace tapal::alias
