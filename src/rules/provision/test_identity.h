// A domain with everything, for tests.
#pragma once

#include <string>
#include <vector>

#include <fmt/format.h>

#include "rules/provision/wanted_records.h"
#include "values/dns/rdata.h"

namespace tapal::provision {

inline MailIdentity full_identity() {
  MailIdentity identity;
  identity.domain = "example.com";
  identity.host = "mail.example.com";
  identity.addresses = {*IpAddress::from_text("192.0.2.1"), *IpAddress::from_text("2001:db8::1")};
  identity.keys = {{"s1", "v=DKIM1; k=ed25519; p=AAAA", KeyPublication::Stage::current},
                   {"s2", "v=DKIM1; k=ed25519; p=BBBB", KeyPublication::Stage::next}};
  identity.report_address = "reports@example.com";
  identity.mta_sts_id = "20261126";
  identity.certificates = {"ca.example", "https://ca.example/acct/1", false};
  identity.zone_is_signed = true;
  identity.tlsa_digests = {std::string(32, '\x11'), std::string(32, '\x22')};
  identity.serves_client_settings = true;
  identity.no_mail_hosts = {"www.example.com"};
  return identity;
}

// "mail.example.com A 192.0.2.1", a line each.
inline std::vector<std::string> lines_of(const dns::RecordSet& set) {
  std::vector<std::string> lines;
  for (const auto& data : set.data)
    lines.push_back(fmt::format(
        "{} {} {}", set.name, dns::type_text(set.type), dns::data_to_text(set.type, data)));
  return lines;
}
inline std::vector<std::string> lines_of(const std::vector<WantedSet>& wanted) {
  std::vector<std::string> lines;
  for (const auto& one : wanted)
    for (auto& line : lines_of(one.set)) lines.push_back(std::move(line));
  return lines;
}

}  // namespace tapal::provision
