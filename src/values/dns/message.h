// DNS messages as on the wire (RFC 1035 section 4, EDNS of RFC 6891).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "values/dns/record.h"

namespace tapal::dns {

inline constexpr std::size_t message_bytes_max = 65535;
inline constexpr std::size_t header_bytes = 12;               // RFC 1035 section 4.1.1
inline constexpr std::uint16_t udp_bytes_without_edns = 512;  // RFC 1035 section 4.2.1

enum class Rcode : std::uint16_t {
  no_error = 0,
  format_error = 1,
  server_failure = 2,
  no_such_name = 3,
  not_implemented = 4,
  refused = 5,
  not_authoritative = 9,  // RFC 2136 section 2.2; also: a TSIG record is wrong
  not_zone = 10,          // RFC 2136 section 2.2: a name outside the zone
  bad_version = 16,       // needs EDNS, as every code over 15
};
std::string rcode_text(Rcode rcode);  // "NXDOMAIN", "RCODE17"

struct Flags {
  bool response = false;
  bool authoritative = false;
  bool truncated = false;
  bool recursion_desired = false;
  bool recursion_available = false;
  bool authentic_data = false;     // RFC 4035 section 3.2.3
  bool checking_disabled = false;  // RFC 4035 section 3.2.2
  std::uint8_t opcode = 0;         // 0 is a standard query

  bool operator==(const Flags&) const = default;
};

struct Edns {
  std::uint16_t payload_bytes_max = 1232;  // what the sender can take over UDP
  std::uint8_t version = 0;
  bool dnssec_ok = false;

  bool operator==(const Edns&) const = default;
};

inline constexpr std::uint16_t class_in = 1;
inline constexpr std::uint16_t class_any = 255;

struct Question {
  std::string name;
  Type type = Type::a;
  std::uint16_t question_class = class_in;

  bool operator==(const Question&) const = default;
};

// Records are of class IN. OPT is not among the additional records: it is `edns`.
struct Message {
  std::uint16_t id = 0;
  Flags flags;
  Rcode rcode = Rcode::no_error;
  std::vector<Question> questions;
  std::vector<Record> answers;
  std::vector<Record> authority;
  std::vector<Record> additional;
  std::optional<Edns> edns;

  bool operator==(const Message&) const = default;
};

// Code::invalid for anything cut, too long, or with a record of another class than IN.
// Bytes behind the message are refused too. Several questions are read, but never written (RFC
// 9619).
Result<Message> parse_message(std::string_view bytes);

// With compressed names. When it would not fit into `bytes_max`, whole records are left out from
// the end and the truncation flag is set, except for additional ones alone (RFC 2181 section 9).
// Code::invalid when a name or a record's data cannot be written, or header, questions and EDNS
// alone do not fit.
Result<std::string> write_message(const Message& message,
                                  std::size_t bytes_max = message_bytes_max);

}  // namespace tapal::dns
