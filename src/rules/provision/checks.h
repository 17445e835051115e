// All checks of the doctor, and an examination that runs them as answers come in.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rules/provision/look.h"

namespace tapal::provision {

struct Check {
  std::string_view id;     // "spf.egress"
  std::string_view group;  // a heading of the report
  std::string_view title;  // what holds when it is ok
  void (*run)(Look& look);
};

std::span<const Check> all_checks();  // in the order of the report
const Check* find_check(std::string_view id);

// Whether `only` names the check: its id, or the part before the dot. An empty list names all.
bool is_chosen(const Check& check, std::span<const std::string> only);

// A core: run(), see what its evidence wants, answer that, until nothing is wanted any more.
class Examination {
 public:
  // `suffixes` must outlive it.
  Examination(Home home, const dns::PublicSuffixes& suffixes, std::vector<std::string> only = {});

  // Runs all checks with what is known. True: answers are wanted before they can come to an end.
  bool run();
  Evidence& evidence() { return evidence_; }
  const Home& home() const { return home_; }
  // In the order of all_checks(). They stand once run() has given false.
  const std::vector<Finding>& findings() const { return findings_; }

 private:
  Home home_;
  const dns::PublicSuffixes& suffixes_;
  std::vector<const Check*> checks_;
  Evidence evidence_;
  std::vector<Finding> findings_;
};

// The checks, by family: check_<family>.cc.
void check_host_name(Look& look);
void check_host_addresses(Look& look);
void check_private_addresses(Look& look);
void check_ipv6(Look& look);
void check_reverse_name(Look& look);
void check_reverse_name_is_host(Look& look);
void check_generic_reverse_name(Look& look);
void check_port_25_out(Look& look);
void check_own_ports(Look& look);
void check_greeting(Look& look);
void check_auth_in_clear(Look& look);
void check_open_relay(Look& look);
void check_resolver(Look& look);
void check_dnssec(Look& look);
void check_authorities(Look& look);
void check_mx(Look& look);
void check_mx_targets(Look& look);
void check_spf_record(Look& look);
void check_spf_egress(Look& look);
void check_spf_helo(Look& look);
void check_spf_limits(Look& look);
void check_spf_end(Look& look);
void check_signing(Look& look);
void check_dkim_published(Look& look);
void check_dkim_strength(Look& look);
void check_dkim_age(Look& look);
void check_dkim_tree(Look& look);
void check_dmarc_record(Look& look);
void check_dmarc_policy(Look& look);
void check_dmarc_reports(Look& look);
void check_starttls(Look& look);
void check_certificates(Look& look);
void check_certificate_expiry(Look& look);
void check_served_is_disk(Look& look);
void check_renewal(Look& look);
void check_mta_sts(Look& look);
void check_tls_rpt(Look& look);
void check_dane(Look& look);
void check_caa(Look& look);
void check_address_lists(Look& look);
void check_domain_lists(Look& look);
void check_domain_age(Look& look);
void check_domain_expiry(Look& look);
void check_roles(Look& look);
void check_forward_targets(Look& look);
void check_forward_loops(Look& look);
void check_clock(Look& look);
void check_disk(Look& look);
void check_server(Look& look);
void check_queue(Look& look);
void check_loose_files(Look& look);
void check_backup(Look& look);
void check_credentials(Look& look);

}  // namespace tapal::provision
