// Who gets the mail sent to an address of ours: users, aliases, suffixes, patterns, catch-alls, and
// the role of its domain.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "rules/account/domain_settings.h"
#include "rules/alias/alias_index.h"
#include "rules/alias/resolution.h"

namespace tapal::alias {

// What is known of one own domain.
struct DomainInput {
  std::string domain;              // in the form of mail::Address::domain
  std::vector<std::string> users;  // local parts in the file's order
  bool users_are_complete =
      true;                  // false: its users file has problems; missing targets are not told
  std::string aliases_text;  // empty when there is no file
  std::string aliases_file;  // its name for messages
  account::DomainSettings settings = {};
  ReadInclude read_include = {};
};

// One line of the way that mail takes, for people.
struct ExplainedStep {
  std::size_t level = 0;  // how far to indent
  mail::Address address;
  std::string what;  // "alias, aliases:3", "mailbox", "by SMTP to its MX"
};

class AliasTable {
 public:
  Resolution resolve(const mail::Address& address) const;
  // The users who stand behind an address of ours, whatever its domain's role: those who get its
  // mail, and those on the way whose own mail is passed on.
  std::vector<mail::Address> users_behind(const mail::Address& address) const;
  std::vector<ExplainedStep> explain(const mail::Address& address) const;

 private:
  friend class AliasTableBuilder;
  AliasIndex index_;
};

// problems: "file:line: what", each makes the table unfit for use. notices: what people should
// know, such as where postmaster's mail goes when nobody said.
struct BuiltAliasTable {
  AliasTable table;
  std::vector<std::string> problems;
  std::vector<std::string> notices;
  bool leads_out = false;  // some alias has a target at a domain that is not ours
};

// An alias named like a user stands before the user, and may name that user as a target.
// postmaster and abuse always lead somewhere when the domain has a user (RFC 5321 section 4.5.1,
// RFC 2142): what no alias, user or catch-all takes, and what one rejects, goes to its first user;
// with the role "send" or "backup-mx" it goes to the domain's MX.
BuiltAliasTable build_alias_table(std::span<const DomainInput> domains);

}  // namespace tapal::alias
