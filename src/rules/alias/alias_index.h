// The users and aliases of all our domains, ready to be looked up. Filled once (build_alias_table),
// then only read.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "rules/account/domain_settings.h"
#include "rules/alias/aliases_file.h"
#include "values/mail/address.h"

namespace tapal::alias {

struct AliasIndex {
  using Number = std::uint32_t;  // of a rule or a user

  struct Entry {
    std::optional<Number> rule;
    std::optional<Number> user;
  };
  struct Domain {
    account::DomainSettings settings;
    std::string file;                              // of its aliases, for messages
    std::unordered_map<std::string, Entry> names;  // by lookup_key()
    std::vector<Number> patterns;                  // in the file's order
    std::optional<Number> catch_all;
    std::optional<Number> first_user;  // the rule for postmaster and abuse when nothing else fits
    bool has_aliases = false;
  };
  struct Rule {
    AliasRule rule;
    std::string domain;
  };

  std::map<std::string, Domain, std::less<>> domains;
  std::vector<Rule> rules;
  std::vector<mail::Address> users;

  // How an address was found.
  enum class Way : std::uint8_t { nothing, name, suffix, pattern, catch_all, first_user };
  struct Found {
    const Domain* domain = nullptr;  // null: not ours
    Way way = Way::nothing;
    Entry entry = {};
    std::vector<std::string> captures = {};  // of a pattern
  };
  // One look-up for names, one more for each suffix that may be cut off, and patterns after them.
  Found find(const mail::Address& address) const;

  // Of an entry that has one.
  const AliasRule& rule_of(const Entry& entry) const {
    return rules.at(entry.rule.value_or(static_cast<Number>(rules.size()))).rule;
  }
};

// postmaster and abuse, which always work: RFC 5321 section 4.5.1, RFC 2142 section 4.
bool is_mandatory(const mail::Address& address);

}  // namespace tapal::alias
