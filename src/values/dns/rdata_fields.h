// SRV, TLSA and CAA records by their fields. A Record keeps them as RawData.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

#include "base/result.h"
#include "values/dns/record.h"

namespace tapal::dns {

struct ServicePlace {  // SRV, RFC 2782
  std::uint16_t priority = 0;
  std::uint16_t weight = 0;
  std::uint16_t port = 0;
  std::string target;  // "": the service is not offered

  auto operator<=>(const ServicePlace&) const = default;
};
Result<ServicePlace> srv_from_data(const Data& data);
Result<Data> srv_to_data(const ServicePlace& place);

struct CertificateAssociation {  // TLSA, RFC 6698 section 2.1
  std::uint8_t usage = 3;        // 3: this very key or certificate (DANE-EE)
  std::uint8_t selector = 1;     // 1: the public key, 0: the whole certificate
  std::uint8_t matching = 1;     // 1: SHA-256, 2: SHA-512, 0: in full
  std::string bytes;

  auto operator<=>(const CertificateAssociation&) const = default;
};
Result<CertificateAssociation> tlsa_from_data(const Data& data);
Data tlsa_to_data(const CertificateAssociation& association);

struct IssuerRule {        // CAA, RFC 8659 section 4.1
  std::uint8_t flags = 0;  // 128: critical
  std::string tag;         // "issue", "issuewild", "iodef", ...; lower case
  std::string value;

  auto operator<=>(const IssuerRule&) const = default;
};
Result<IssuerRule> caa_from_data(const Data& data);
// Code::invalid for a tag that is empty or longer than 255 bytes.
Result<Data> caa_to_data(const IssuerRule& rule);

}  // namespace tapal::dns
