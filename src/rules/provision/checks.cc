#include "rules/provision/checks.h"

#include <algorithm>
#include <utility>

namespace tapal::provision {
namespace {

constexpr std::string_view host = "Host and addresses";
constexpr std::string_view ports = "Ports";
constexpr std::string_view names = "DNS and MX";
constexpr std::string_view authentication = "SPF, DKIM, DMARC";
constexpr std::string_view transport = "TLS";
constexpr std::string_view reputation = "Reputation";
constexpr std::string_view mailboxes = "Mailboxes and forwarding";
constexpr std::string_view machine = "Machine and upkeep";

constexpr Check checks[] = {
    {"host.name", host, "the host has a full name", check_host_name},
    {"host.address",
     host,
     "the host name has every address that mail leaves from",
     check_host_addresses},
    {"host.public", host, "mail leaves from public addresses", check_private_addresses},
    {"host.ipv6", host, "mail can leave over IPv6", check_ipv6},
    {"ptr.confirmed", host, "each address has a name that leads back to it", check_reverse_name},
    {"ptr.host", host, "that name is the one the server greets with", check_reverse_name_is_host},
    {"ptr.generic",
     host,
     "that name does not look like a dial-up customer's",
     check_generic_reverse_name},

    {"port.25-out", ports, "other mail servers can be reached", check_port_25_out},
    {"port.in", ports, "the own ports answer at the public addresses", check_own_ports},
    {"smtp.greeting", ports, "the server greets with its host name", check_greeting},
    {"smtp.auth", ports, "passwords are taken under TLS only", check_auth_in_clear},
    {"smtp.relay", ports, "strangers cannot send to others through here", check_open_relay},

    {"dns.resolver", names, "DNS answers, checked by DNSSEC", check_resolver},
    {"dns.dnssec", names, "the domain is signed", check_dnssec},
    {"dns.servers", names, "all name servers of the domain say the same", check_authorities},
    {"mx.record", names, "the domain says where its mail goes", check_mx},
    {"mx.target", names, "its mail servers can be found, and are ours", check_mx_targets},

    {"spf.record", authentication, "there is one SPF record, and it can be read", check_spf_record},
    {"spf.egress", authentication, "it lets every address of ours send", check_spf_egress},
    {"spf.helo", authentication, "the host name has its own, for notices", check_spf_helo},
    {"spf.limits", authentication, "it keeps to ten lookups", check_spf_limits},
    {"spf.end", authentication, "it ends in -all or ~all", check_spf_end},
    {"dkim.signing", authentication, "mail is signed", check_signing},
    {"dkim.published",
     authentication,
     "the published keys are those that sign",
     check_dkim_published},
    {"dkim.strength", authentication, "the keys are strong", check_dkim_strength},
    {"dkim.age", authentication, "the keys are not old", check_dkim_age},
    {"dkim.tree",
     authentication,
     "the name servers know that there are names below _domainkey",
     check_dkim_tree},
    {"dmarc.record",
     authentication,
     "there is one DMARC record, without faults",
     check_dmarc_record},
    {"dmarc.policy", authentication, "forged mail is to be kept out", check_dmarc_policy},
    {"dmarc.reports", authentication, "reports arrive", check_dmarc_reports},

    {"tls.starttls", transport, "TLS is offered, in a version of today", check_starttls},
    {"tls.certificate",
     transport,
     "the certificate is for the host, from an authority that others know",
     check_certificates},
    {"tls.expiry", transport, "it holds for long enough", check_certificate_expiry},
    {"tls.disk", transport, "it is the one that lies on the disk", check_served_is_disk},
    {"tls.renewal", transport, "its renewal is planned", check_renewal},
    {"tls.mta-sts", transport, "MTA-STS lets others insist on TLS", check_mta_sts},
    {"tls.reports", transport, "others may report trouble with TLS", check_tls_rpt},
    {"tls.dane", transport, "what DANE publishes is what is served", check_dane},
    {"tls.caa", transport, "our certificate authority may issue", check_caa},

    {"list.address", reputation, "no address is on a block list", check_address_lists},
    {"list.domain", reputation, "the domain is on none", check_domain_lists},
    {"domain.age", reputation, "the domain is not too new", check_domain_age},
    {"domain.expiry", reputation, "the domain is paid for", check_domain_expiry},

    {"alias.roles", mailboxes, "postmaster and abuse reach somebody", check_roles},
    {"forward.target",
     mailboxes,
     "where mail is forwarded to, mail is taken",
     check_forward_targets},
    {"forward.loop", mailboxes, "nothing is forwarded back to us", check_forward_loops},

    {"host.clock", machine, "the clock is right", check_clock},
    {"host.disk", machine, "there is room on the disk", check_disk},
    {"server.running", machine, "the server runs", check_server},
    {"queue.health", machine, "the queue moves", check_queue},
    {"files.owner", machine, "secrets are for their owner's eyes only", check_loose_files},
    {"backup.state", machine, "the configuration is kept elsewhere, too", check_backup},
    {"dns.credentials", machine, "DNS can be written", check_credentials},
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
