// The fields of SRV, CAA and TLSA records, whose data a Record keeps as RawData: for those who
// build such records, and for providers that want each field by itself.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

#include "base/result.h"
#include "values/dns/record.h"

namespace tapal::dns {

struct Service {  // SRV, RFC 2782
  std::uint16_t priority = 0;
  std::uint16_t weight = 0;
  std::uint16_t port = 0;
  std::string target;  // canonical; "" (the root) says that there is no such service
  auto operator<=>(const Service&) const = default;
};

struct Authorization {  // CAA, RFC 8659 section 4.1
  std::uint8_t flags = 0;
  std::string tag;
  std::string value;
  auto operator<=>(const Authorization&) const = default;
};

struct Association {  // TLSA, RFC 6698 section 2.1
  std::uint8_t usage = 0;
  std::uint8_t selector = 0;
  std::uint8_t matching = 0;
  std::string bytes;  // not hex
  auto operator<=>(const Association&) const = default;
};

// Code::invalid when the data is of another kind, or cut.
Result<Service> service_from_data(const Data& data);
Result<Authorization> authorization_from_data(const Data& data);
Result<Association> association_from_data(const Data& data);

// Code::invalid for a target that is no name, and for a tag that is empty or over 255 bytes.
Result<Data> to_data(const Service& service);
Result<Data> to_data(const Authorization& authorization);
Data to_data(const Association& association);

}  // namespace tapal::dns
