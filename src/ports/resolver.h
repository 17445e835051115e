// DNS questions with DNSSEC's verdict on the answers.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/task.h"
#include "ports/loop.h"
#include "values/dns/record.h"

namespace tapal {

struct DnsAnswer {
  enum class Status : std::uint8_t { found, no_data, no_such_name };
  enum class Security : std::uint8_t { insecure, secure };

  Status status = Status::no_data;
  Security security = Security::insecure;
  std::string canonical_name;        // where CNAMEs led; the question's name when there are none
  std::vector<dns::Record> records;  // of the type asked for, at the canonical name
  std::chrono::seconds ttl{0};
};

struct Resolver {
  virtual ~Resolver() = default;
  // Comes back to `loop`. Errors: try_later when the servers fail or do not answer in time,
  // denied when DNSSEC shows the answer to be forged ("bogus"), invalid for an impossible name.
  virtual Task<Result<DnsAnswer>> resolve(Loop& loop, std::string name, dns::Type type) = 0;
};

}  // namespace tapal
