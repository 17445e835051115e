// `tapal up`: from an empty server to proven delivery, in phases that each look first, change only
// what is not yet so, and can be stopped and run again at any point.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "app/cli/command.h"
#include "app/cli/phase_report.h"
#include "app/settings/settings.h"
#include "base/ip_address.h"
#include "base/result.h"
#include "rules/provision/hosters.h"
#include "values/mail/address.h"

namespace tapal::app {

struct UpOptions {
  std::string domain;
  std::string hostname;                // empty: mail.<domain>
  std::string user;                    // local part; empty: that of `forward`, else postmaster
  std::string forward;                 // empty: mail stays here
  std::vector<std::string> addresses;  // empty: the machine's public ones
  std::string dns_provider;            // empty: the person enters the records
  std::string dns_credentials_file;
  std::string dns_url;
  std::string hoster;  // empty: found out
  std::string hoster_token_file;
  std::string hoster_url;
  std::string relay;  // "smtp.example.net:587", where port 25 is closed; empty: none
  std::string relay_user;
  std::string relay_password_file;
  std::string acme_directory;  // empty: as the settings say
  std::string state_folder;    // empty: as the settings say
  bool plan = false;
  bool yes = false;
  bool take_mx = false;
  bool fix_ipv6 = false;
  std::string root = "/";              // the machine's files are below it
  std::chrono::seconds patience{600};  // for DNS to show what was written or entered
};

// One run, and what its phases have found out for the next.
struct Up {
  const CommonOptions& common;
  const UpOptions& options;
  PhaseReport& report;
  std::string domain;    // A-labels
  std::string hostname;  // A-labels
  std::vector<IpAddress> addresses;
  mail::Address user;
  std::vector<mail::Address> forward;                            // none or one
  const provision::Hoster* hoster = &provision::other_hoster();  // never null
  bool on_scratch = false;  // a plan is worked out in a folder that will vanish

  bool only_plans() const { return options.plan; }
};

// Each tells what it saw and did. An Error ends the run: it names what is in the way and what to
// do.
Result<void> up_look(Up& up);
Result<void> up_identity(Up& up);
Result<void> up_dns(Up& up);
Result<void> up_reverse_names(Up& up);
Result<void> up_certificate(Up& up);
Result<void> up_service(Up& up);
Result<void> up_first_user(Up& up);
Result<void> up_aliases(Up& up);
Result<void> up_doctor(Up& up);
Result<void> up_proof(Up& up);
Result<void> up_backup(Up& up);

// A part of up_look(): whose machine this is, and what the world outside makes of it.
Result<void> up_outside(Up& up);
// A part of up_identity(): what the phases need to be set.
Result<void> up_settings(Up& up);
// A part of up_service(): what keeps mail out or to IPv4, for the person to change.
Result<void> up_network(Up& up);

// Who has the port, in the system's words; empty: it is free.
std::string port_taken_by(std::uint16_t port);

}  // namespace tapal::app
