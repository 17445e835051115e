// A small zone that answers questions as its authority (RFC 1034 section 4.3.2): aliases followed
// inside the zone, wildcards, delegations, NXDOMAIN told from NODATA. Not signed; no transfers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "values/dns/message.h"
#include "values/dns/record.h"

namespace tapal::dns {

class Zone {
 public:
  // `records` must have one SOA, at the top of the zone, and no name outside of it; a name with a
  // CNAME has nothing else. Code::invalid says which record is wrong.
  static Result<Zone> from_records(std::vector<Record> records);
  static Result<Zone> from_text(std::string_view text, std::string_view origin);

  const std::string& origin() const { return origin_; }
  // Fills answers, authority and rcode of `response`, which carries one question inside the zone.
  void answer(Message& response) const;

 private:
  using Node = std::vector<Record>;
  Zone() = default;
  Result<void> add(Record record);
  // The records at `name`, or those that a wildcard makes up for it (RFC 4592 section 3.3).
  const Node* find(std::string_view name) const;
  const Node* delegation_over(std::string_view name) const;
  bool answer_step(Message& response, std::string& name, Type type) const;
  void refer(Message& response, const Node& delegation) const;
  void deny(Message& response, Rcode rcode) const;
  void add_addresses(Message& response, std::size_t answers_from) const;

  std::string origin_;
  Record soa_;
  std::map<std::string, Node, std::less<>>
      nodes_;  // names without records between others are here too
};

// The response to `query`: from the zone nearest to the question, or REFUSED when there is none.
Message answer(std::span<const Zone> zones, const Message& query);

enum class Transport : std::uint8_t { udp, tcp };
// The same, bytes to bytes, cut to what the asker can take. Nothing for bytes that deserve no
// answer (shorter than a header, or themselves a response); FORMERR for other broken ones.
std::optional<std::string> answer_bytes(std::span<const Zone> zones,
                                        std::string_view query,
                                        Transport transport);

}  // namespace tapal::dns
