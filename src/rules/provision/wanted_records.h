// The DNS records that a domain needs so that its mail is believed and found: from facts to record
// sets, each with its reason. What is published already is plan.h's to compare.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip_address.h"
#include "base/result.h"
#include "protocols/mailauth/dmarc_record.h"
#include "rules/account/domain_settings.h"
#include "values/dns/record_set.h"

namespace tapal::provision {

// A DKIM key as it is published. All three kinds are; which one signs is not DNS's business.
struct KeyPublication {
  enum class Stage : std::uint8_t { current, next, old };
  std::string selector;
  std::string value;  // "v=DKIM1; k=rsa; p=..."; with an empty p= it is revoked
  Stage stage = Stage::current;
};

// Whose certificates are ours. Without an issuer and an account there are no CAA records.
struct CertificateAccount {
  std::string issuer;         // as CAA has it: "letsencrypt.org"
  std::string account_uri;    // of RFC 8657; empty: there is none yet
  bool has_wildcard = false;  // certificates for *.domain and the domain itself are wanted, too
};

// How the domain's SPF record ends. Receivers may refuse on "fail" before they look at DKIM (RFC
// 7208 section 8.4), and a forwarded message then is lost although its signature holds; with DMARC
// "softfail" protects as well. So: fail for names that no person writes from, softfail else.
enum class SpfEnding : std::uint8_t { softfail, fail };

// What is known of a domain and the server that sends for it. Names are A-labels in lower case
// without a final dot.
struct MailIdentity {
  std::string domain;
  std::string host;                  // the server's name: in MX, EHLO and reverse DNS
  std::vector<IpAddress> addresses;  // all that mail goes out from; `host` has them all
  account::Role role = account::Role::receive;
  SpfEnding spf_ending = SpfEnding::softfail;
  std::vector<KeyPublication> keys;
  mailauth::DmarcPolicy dmarc = mailauth::DmarcPolicy::none;
  std::string report_address;           // of DMARC and TLS reports; empty: none are wanted
  std::string failure_report_address;   // ruf=; few send any, and they carry what users wrote
  std::string mta_sts_id;               // of the policy that is served; empty: none is
  std::vector<std::string> mta_sts_mx;  // what it names beside `host`; "*." for one label
  CertificateAccount certificates;
  bool zone_is_signed = false;             // by DNSSEC, the host's zone too: else no TLSA
  std::vector<std::string> tlsa_digests;   // SHA-256 of the keys served now and next, 32 bytes each
  bool serves_client_settings = false;     // autoconfig and autodiscover, on the host
  std::vector<std::string> no_mail_hosts;  // names that neither get nor send mail
};

enum class Purpose : std::uint8_t {
  host_address,
  mail_exchange,
  sender_policy,  // SPF of the domain
  host_policy,    // SPF of the host
  signing_key,    // DKIM
  dmarc,
  report_consent,  // _report._dmarc where reports go to another domain
  mta_sts,
  mta_sts_host,
  tls_reports,
  issuers,          // CAA
  pinned_keys,      // TLSA
  submission,       // SRV
  client_settings,  // autoconfig, autodiscover
  no_mail,          // null MX
  no_mail_policy,   // SPF that allows nobody
};
std::string_view purpose_text(Purpose purpose);  // "sender policy (SPF)"

enum class Strength : std::uint8_t {
  must,    // without it mail is refused or does not come
  should,  // the big receivers or good practice want it
  may,     // it helps
};
std::string_view strength_text(Strength strength);  // "must"

struct WantedSet {
  dns::RecordSet set;
  Purpose purpose = Purpose::host_address;
  Strength strength = Strength::must;
  std::string why;  // one sentence, with its source
};

// Each name and type once, in the order a person would enter them. Code::invalid names the fact
// that is wrong: a name that is none, no addresses, a digest that is not 32 bytes, an address that
// cannot stand in a record.
Result<std::vector<WantedSet>> wanted_records(const MailIdentity& identity);

// What a domain like this has no use for, though an earlier one of that name may have had: sets
// without data.
std::vector<WantedSet> unwanted_records(const MailIdentity& identity);

// One of them by its purpose; null when there is none.
const WantedSet* find_wanted(const std::vector<WantedSet>& wanted, Purpose purpose);

// As a new SPF record has it; without addresses it allows what MX leads to.
std::string spf_text(std::span<const IpAddress> addresses, SpfEnding ending);
// Of the server's own name.
inline constexpr std::string_view host_spf_text = "v=spf1 a -all";
// As a new DMARC record has it.
std::string dmarc_text(const MailIdentity& identity);

}  // namespace tapal::provision
