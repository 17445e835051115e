// What a core asks of DNS, and what it is told. Cores that ask one question after another have
//   std::optional<dns::Lookup> next_lookup()    what to ask now; nothing: no more is needed
//   void on_reply(dns::LookupReply)             the answer to it
// and are driven by ports/look_up.h.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "values/dns/record.h"

namespace tapal::dns {

struct Lookup {
  std::string name;  // A-labels, no final dot
  Type type = Type::txt;
  auto operator<=>(const Lookup&) const = default;
};

struct LookupReply {
  enum class Status : std::uint8_t {
    found,
    no_data,       // the name has no records of this type
    no_such_name,  // NXDOMAIN
    failed,        // nobody could tell now: server failure, time-out, forged
    impossible,    // no such name can be: a label over 63 bytes, a name over 253
  };
  Status status = Status::failed;
  std::vector<Record> records;  // of the type asked for, at the end of all CNAMEs
};

}  // namespace tapal::dns
