#include "rules/provision/checks.h"

#include <algorithm>
#include <utility>

namespace tapal::provision {
namespace {

constexpr std::string_view host_group = "Host and addresses";
constexpr std::string_view ports_group = "Ports";
constexpr std::string_view names_group = "DNS and MX";
constexpr std::string_view authentication_group = "SPF, DKIM, DMARC";
constexpr std::string_view transport_group = "TLS";
constexpr std::string_view reputation_group = "Reputation";
constexpr std::string_view mailboxes_group = "Mailboxes and forwarding";
constexpr std::string_view machine_group = "Machine and upkeep";

constexpr Check checks[] = {
    {"host.name", host_group, "the host has a full name", check_host_name},
    {"host.address",
     host_group,
     "the host name has every address that mail leaves from",
     check_host_addresses},
    {"host.public", host_group, "mail leaves from public addresses", check_private_addresses},
    {"host.ipv6", host_group, "mail can leave over IPv6", check_ipv6},
    {"ptr.confirmed",
     host_group,
     "each address has a name that leads back to it",
     check_reverse_name},
    {"ptr.host",
     host_group,
     "that name is the one the server greets with",
     check_reverse_name_is_host},
    {"ptr.generic",
     host_group,
     "that name does not look like a dial-up customer's",
     check_generic_reverse_name},

    {"port.25-out", ports_group, "other mail servers can be reached", check_port_25_out},
    {"port.in", ports_group, "the own ports answer at the public addresses", check_own_ports},
    {"smtp.greeting", ports_group, "the server greets with its host name", check_greeting},
    {"smtp.auth", ports_group, "passwords are taken under TLS only", check_auth_in_clear},
    {"smtp.relay", ports_group, "strangers cannot send to others through here", check_open_relay},

    {"dns.resolver", names_group, "DNS answers, checked by DNSSEC", check_resolver},
    {"dns.dnssec", names_group, "the domain is signed", check_dnssec},
    {"dns.servers", names_group, "all name servers of the domain say the same", check_authorities},
    {"mx.record", names_group, "the domain says where its mail goes", check_mx},
    {"mx.target", names_group, "its mail servers can be found, and are ours", check_mx_targets},

    {"spf.record",
     authentication_group,
     "there is one SPF record, and it can be read",
     check_spf_record},
    {"spf.egress", authentication_group, "it lets every address of ours send", check_spf_egress},
    {"spf.helo", authentication_group, "the host name has its own, for notices", check_spf_helo},
    {"spf.limits", authentication_group, "it keeps to ten lookups", check_spf_limits},
    {"spf.end", authentication_group, "it ends in -all or ~all", check_spf_end},
    {"dkim.signing", authentication_group, "mail is signed", check_signing},
    {"dkim.published",
     authentication_group,
     "the published keys are those that sign",
     check_dkim_published},
    {"dkim.strength", authentication_group, "the keys are strong", check_dkim_strength},
    {"dkim.age", authentication_group, "the keys are not old", check_dkim_age},
    {"dkim.tree",
     authentication_group,
     "the name servers know that there are names below _domainkey",
     check_dkim_tree},
    {"dmarc.record",
     authentication_group,
     "there is one DMARC record, without faults",
     check_dmarc_record},
    {"dmarc.policy", authentication_group, "forged mail is to be kept out", check_dmarc_policy},
    {"dmarc.reports", authentication_group, "reports arrive", check_dmarc_reports},

    {"tls.starttls", transport_group, "TLS is offered, in a version of today", check_starttls},
    {"tls.certificate",
     transport_group,
     "the certificate is for the host, from an authority that others know",
     check_certificates},
    {"tls.expiry", transport_group, "it holds for long enough", check_certificate_expiry},
    {"tls.disk", transport_group, "it is the one that lies on the disk", check_served_is_disk},
    {"tls.renewal", transport_group, "its renewal is planned", check_renewal},
    {"tls.mta-sts", transport_group, "MTA-STS lets others insist on TLS", check_mta_sts},
    {"tls.reports", transport_group, "others may report trouble with TLS", check_tls_rpt},
    {"tls.dane", transport_group, "what DANE publishes is what is served", check_dane},
    {"tls.caa", transport_group, "our certificate authority may issue", check_caa},

    {"list.address", reputation_group, "no address is on a block list", check_address_lists},
    {"list.domain", reputation_group, "the domain is on none", check_domain_lists},
    {"domain.age", reputation_group, "the domain is not too new", check_domain_age},
    {"domain.expiry", reputation_group, "the domain is paid for", check_domain_expiry},

    {"alias.roles", mailboxes_group, "postmaster and abuse reach somebody", check_roles},
    {"forward.target",
     mailboxes_group,
     "where mail is forwarded to, mail is taken",
     check_forward_targets},
    {"forward.loop", mailboxes_group, "nothing is forwarded back to us", check_forward_loops},

    {"host.clock", machine_group, "the clock is right", check_clock},
    {"host.disk", machine_group, "there is room on the disk", check_disk},
    {"server.running", machine_group, "the server runs", check_server},
    {"queue.health", machine_group, "the queue moves", check_queue},
    {"files.owner", machine_group, "secrets are for their owner's eyes only", check_loose_files},
    {"backup.state", machine_group, "the configuration is kept elsewhere, too", check_backup},
    {"dns.credentials", machine_group, "DNS can be written", check_credentials},
};

}  // namespace

std::span<const Check> all_checks() { return checks; }

const Check* find_check(std::string_view id) {
  const auto* const found = std::ranges::find(checks, id, &Check::id);
  return found == std::end(checks) ? nullptr : found;
}

bool is_chosen(const Check& check, std::span<const std::string> only) {
  const auto family = check.id.substr(0, check.id.find('.'));
  return only.empty() || std::ranges::any_of(only, [&](const std::string& name) {
           return name == check.id || name == family;
         });
}

Examination::Examination(Home home,
                         const dns::PublicSuffixes& suffixes,
                         std::vector<std::string> only)
    : home_(std::move(home)), suffixes_(suffixes) {
  for (const auto& check : checks)
    if (is_chosen(check, only)) checks_.push_back(&check);
}

// Every check begins anew in each round: there are few, and so what was found too early cannot
// stay.
bool Examination::run() {
  findings_.clear();
  for (const auto* check : checks_) {
    Look look(home_, suffixes_, evidence_, std::string(check->id));
    check->run(look);
    findings_.insert(findings_.end(), look.findings.begin(), look.findings.end());
  }
  return evidence_.wanted() > 0;
}

}  // namespace tapal::provision
