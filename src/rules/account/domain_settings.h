// What domains/<domain>/domain.toml says of one domain of ours; every key may be missing:
//   role = "receive"          or "send", "send+forward", "backup-mx"
//   ignore_dots = false       whether a.nn@ is ann@
//   suffix_separators = "+"   ann+anything@ is ann@; "" for none
//   dmarc = "honour"          or "quarantine", "ignore": what a policy that refuses mail does here
//   mta_sts = "testing"       or "enforce", "none": the MTA-STS policy that we serve for it
//   mta_sts_mx = []           hosts beside this one that take its mail: "mx2.example.net"
//   imap_server = ""          where users read their mail by IMAP, told to their mail clients
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/tlspolicy/mta_sts.h"

namespace tapal::account {

enum class Role : std::uint8_t {
  receive,       // mailboxes and aliases
  send,          // its MX is elsewhere: mail to it goes there, also that of our own users
  send_forward,  // aliases, and no mailboxes
  backup_mx,     // any local part, or those that the aliases name, kept for the better MX
};

// What a DMARC policy of "reject" or "quarantine" does to mail for this domain.
enum class DmarcPractice : std::uint8_t {
  honour,
  quarantine,  // what would be refused is quarantined
  ignore,
};

struct DomainSettings {
  Role role = Role::receive;
  bool ignore_dots = false;
  std::string suffix_separators = "+";  // each of its characters is one
  DmarcPractice dmarc = DmarcPractice::honour;
  tlspolicy::MtaStsMode mta_sts = tlspolicy::MtaStsMode::testing;
  std::vector<std::string> mta_sts_mx;  // in lower case; "*." for one label
  std::string imap_server;              // in lower case; empty: none is known

  bool operator==(const DomainSettings&) const = default;
};

std::string_view text_of(Role role);  // as it stands in the file

// Each problem is "file:line: what is wrong".
struct DomainSettingsFile {
  DomainSettings settings;
  std::vector<std::string> problems;
};
DomainSettingsFile read_domain_settings(std::string_view text, std::string_view file_name);

}  // namespace tapal::account
