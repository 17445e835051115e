// All records of one name and one type: what DNS answers with, and what providers keep.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "values/dns/record.h"

namespace tapal::dns {

struct RecordSet {
  std::string name;  // A-labels, no final dot
  Type type = Type::a;
  std::chrono::seconds ttl{3600};
  std::vector<Data> data;  // in no order that matters; empty: there are no such records

  bool operator==(const RecordSet&) const = default;
};

}  // namespace tapal::dns
