// What the configuration, the keys and this machine say about a domain, for its DNS records.
#pragma once

#include <string>
#include <vector>

#include "app/cli/command.h"
#include "app/settings/settings.h"
#include "rules/provision/wanted_records.h"

namespace tapal::app {

// What a command may tell better.
struct IdentityOptions {
  std::string domain;
  std::vector<std::string> addresses;  // empty: as set for sending, else the machine's public ones
  std::string reports;                 // empty: postmaster of the domain
  std::vector<std::string> no_mail_hosts;  // whole names
  std::string spf_end = "~all";            // or "-all"
  std::string dmarc = "none";              // of a new record
};
void declare_identity(const Command& command, IdentityOptions& into);

// What mail is bound to go out from, as set; else the public addresses of this machine.
std::vector<IpAddress> egress_addresses(const Settings& settings);

// Code::not_found: the domain is none of ours; invalid: an option or a file is wrong. Whether the
// zone is signed is left to whoever asks DNS.
Result<provision::MailIdentity> gather_identity(const CommonOptions& common,
                                                const Settings& settings,
                                                const IdentityOptions& options);

}  // namespace tapal::app
