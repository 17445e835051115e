// A DNS plan for people and for programs.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/fwd.hpp>

#include "rules/provision/journal_entry.h"
#include "services/upkeep/dns_change.h"
#include "services/upkeep/dns_planning.h"

namespace tapal::app {

enum class PlanDetail : std::uint8_t {
  all,          // every record set, with its reason
  differences,  // lines with - and + alone
};
void print_plan(const upkeep::DnsPlanning& planning, PlanDetail detail);
// Lines of a zone file: what goes behind a "-", then what comes behind a "+".
std::string change_lines(const dns::RecordSet& before, const dns::RecordSet& after);
void print_change(const dns::RecordSet& before, const dns::RecordSet& after);
void print_lagging(const std::vector<upkeep::LaggingServer>& lagging);

boost::json::object plan_json(const upkeep::DnsPlanning& planning);
boost::json::array lagging_json(const std::vector<upkeep::LaggingServer>& lagging);
boost::json::object journal_entry_json(const provision::JournalEntry& entry);

}  // namespace tapal::app
