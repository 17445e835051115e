// Data as most web forms have it: names without their final dot, TXT without quotes, and a number
// that ranks the record in a field of its own.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "values/dns/record.h"

namespace tapal::dnsapi {

struct PlainContent {
  // Which types' first number is kept apart.
  enum class Ranked : std::uint8_t { mx, mx_and_srv };

  std::string content;  // "mail.example.com", "0 465 mail.example.com", "0 issue \"ca.example\""
  std::int64_t priority = 0;
};

// `data` is of the type.
PlainContent plain_content(dns::Type type, const dns::Data& data, PlainContent::Ranked ranked);
// Names may have a final dot and TXT may be in quotes. Code::invalid when it is not one record of
// the type.
Result<dns::Data> data_from_plain(dns::Type type,
                                  const PlainContent& plain,
                                  PlainContent::Ranked ranked);

}  // namespace tapal::dnsapi
