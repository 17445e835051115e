#include "app/dns/plan_view.h"

#include <algorithm>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "values/dns/rdata.h"
#include "values/dns/zone_text.h"

namespace tapal::app {
namespace {

namespace json = boost::json;
using provision::Action;
using provision::Change;

bool holds(const dns::RecordSet& set, const dns::Data& data) {
  return std::ranges::find(set.data, data) != set.data.end();
}

// What stays, goes and comes, each behind its sign.
void print_values(std::string_view indent, const Change& change) {
  for (const auto& data : change.before.data)
    fmt::print("{}{} {}\n",
               indent,
               holds(change.after, data) ? ' ' : '-',
               dns::data_to_text(change.before.type, data));
  for (const auto& data : change.after.data)
    if (!holds(change.before, data))
      fmt::print("{}+ {}\n", indent, dns::data_to_text(change.after.type, data));
}

void print(const Change& change) {
  fmt::print("{:<8} {} {}  ({}, {})\n",
             provision::action_text(change.action),
             change.wanted.set.name,
             dns::type_text(change.wanted.set.type),
             provision::purpose_text(change.wanted.purpose),
             provision::strength_text(change.wanted.strength));
  constexpr std::string_view indent = "         ";
  print_values(indent, change);
  if (change.action == Action::conflict)
    for (const auto& data : change.wanted.set.data)
      fmt::print("{}wanted: {}\n", indent, dns::data_to_text(change.wanted.set.type, data));
  fmt::print("{}{}\n", indent, change.why);
}

std::size_t count(const provision::Plan& plan, Action action) {
  return static_cast<std::size_t>(std::ranges::count(plan.changes, action, &Change::action));
}

json::array data_texts(const dns::RecordSet& set) {
  json::array texts;
  for (const auto& data : set.data) texts.emplace_back(dns::data_to_text(set.type, data));
  return texts;
}

json::object to_json(const Change& change) {
  return {{"name", change.wanted.set.name},
          {"type", dns::type_text(change.wanted.set.type)},
          {"ttl", change.after.ttl.count()},
          {"purpose", provision::purpose_text(change.wanted.purpose)},
          {"strength", provision::strength_text(change.wanted.strength)},
          {"action", provision::action_text(change.action)},
          {"why", change.why},
          {"wanted", data_texts(change.wanted.set)},
          {"before", data_texts(change.before)},
          {"after", data_texts(change.after)}};
}

}  // namespace

std::string change_lines(const dns::RecordSet& before, const dns::RecordSet& after) {
  std::vector<std::string> lines;
  for (const auto& [sign, set, other] :
       {std::tuple{'-', &before, &after}, std::tuple{'+', &after, &before}})
    for (const auto& data : set->data)
      if (!holds(*other, data))
        lines.push_back(
            fmt::format("{}{}", sign, dns::to_zone_text({set->name, set->type, set->ttl, data})));
  return fmt::format("{}", fmt::join(lines, "\n"));
}

void print_change(const dns::RecordSet& before, const dns::RecordSet& after) {
  if (const auto lines = change_lines(before, after); !lines.empty()) fmt::print("{}\n", lines);
}

void print_plan(const upkeep::DnsPlanning& planning, PlanDetail detail) {
  const auto& plan = planning.plan;
  if (detail == PlanDetail::differences) {
    for (const auto& change : plan.changes) print_change(change.before, change.after);
    return;
  }
  for (const auto& change : plan.changes) print(change);
  for (const auto& left : planning.left_to_others) {
    fmt::print("left     {} {}: another zone, whose owner must make it\n",
               left.set.name,
               dns::type_text(left.set.type));
    for (const auto& data : left.set.data)
      fmt::print("         + {}\n", dns::data_to_text(left.set.type, data));
  }
  fmt::print(
      "{}: {} to create, {} to merge, {} to replace, {} to remove, {} in conflict, {} as they "
      "should be\n",
      plan.domain,
      count(plan, Action::create),
      count(plan, Action::merge),
      count(plan, Action::replace),
      count(plan, Action::remove),
      count(plan, Action::conflict),
      count(plan, Action::keep));
}

void print_lagging(const std::vector<upkeep::LaggingServer>& lagging) {
  for (const auto& [server, what] : lagging) fmt::print("behind: {} ({})\n", server, what);
}

json::object plan_json(const upkeep::DnsPlanning& planning) {
  json::array changes;
  for (const auto& change : planning.plan.changes) changes.push_back(to_json(change));
  json::array left;
  for (const auto& wanted : planning.left_to_others)
    left.push_back({{"name", wanted.set.name},
                    {"type", dns::type_text(wanted.set.type)},
                    {"data", data_texts(wanted.set)}});
  return {{"domain", planning.plan.domain},
          {"writes", planning.plan.writes()},
          {"blocked", !planning.plan.blocking().empty()},
          {"changes", std::move(changes)},
          {"left_to_others", std::move(left)}};
}

json::array lagging_json(const std::vector<upkeep::LaggingServer>& lagging) {
  json::array servers;
  for (const auto& [server, what] : lagging)
    servers.push_back({{"server", server}, {"what", what}});
  return servers;
}

json::object journal_entry_json(const provision::JournalEntry& entry) {
  json::array sets;
  for (const auto& [zone, before, after] : entry.sets)
    sets.push_back({{"zone", zone},
                    {"name", after.name},
                    {"type", dns::type_text(after.type)},
                    {"before", data_texts(before)},
                    {"after", data_texts(after)}});
  return {{"id", entry.id},
          {"domain", entry.domain},
          {"state", provision::state_text(entry.state)},
          {"sets", std::move(sets)}};
}

}  // namespace tapal::app
