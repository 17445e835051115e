// For tests: DNS answers from a few lines of zone text, and a core driven by them to its end.
#pragma once

#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "values/dns/lookup.h"
#include "values/dns/zone_text.h"

namespace tapal::mailauth {

class TestZone {
 public:
  explicit TestZone(std::string_view text)
      : records_(dns::parse_zone_text(text, {.origin = ""}).value()) {}

  // What is not there under this name gets no answer at all, other than "no such name".
  TestZone& with_failing(std::string name) {
    failing_.insert(std::move(name));
    return *this;
  }

  dns::LookupReply answer(const dns::Lookup& lookup) const {
    using Status = dns::LookupReply::Status;
    dns::LookupReply reply{Status::no_such_name, {}};
    std::string name = lookup.name;
    for (int aliases = 0; aliases < 10; ++aliases) {
      std::string alias;
      for (const dns::Record& record : records_) {
        if (record.name != name) continue;
        if (reply.status == Status::no_such_name) reply.status = Status::no_data;
        if (record.type == lookup.type) reply.records.push_back(record);
        if (record.type == dns::Type::cname) alias = std::get<dns::NameTarget>(record.data).name;
      }
      if (!reply.records.empty()) reply.status = Status::found;
      if (alias.empty()) {
        if (reply.records.empty() && failing_.contains(name)) reply.status = Status::failed;
        return reply;
      }
      name = alias;
    }
    return {Status::failed, {}};
  }

 private:
  std::vector<dns::Record> records_;
  std::set<std::string> failing_;
};

// What it asked, in order. A core that does not end is a defect.
template <class Core>
std::vector<dns::Lookup> answer_all(Core& core, const TestZone& zone) {
  std::vector<dns::Lookup> asked;
  while (const auto lookup = core.next_lookup()) {
    asked.push_back(*lookup);
    if (asked.size() > 1000) throw std::runtime_error("it asks and asks: " + lookup->name);
    core.on_reply(zone.answer(*lookup));
  }
  return asked;
}

}  // namespace tapal::mailauth
