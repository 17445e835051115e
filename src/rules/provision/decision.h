// What becomes of one record set, by its purpose: the inner half of plan.h.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "rules/provision/plan.h"

namespace tapal::provision {

// All that a decision looks at.
struct Situation {
  const WantedSet& wanted;
  const dns::RecordSet& published;
  const RecordSets& all_published;
  std::span<const WantedSet> all_wanted;
  const PlanOptions& options;
  std::string_view domain;

  bool is_ours(const dns::Data& data) const {
    return classify(wanted, data, options.written) == ValueClass::ours;
  }
};

struct Decision {
  Action action = Action::keep;
  std::vector<dns::Data> data;  // of the whole set, for create, merge and replace
  std::string why;
};

inline Decision keep(std::string why) { return {Action::keep, {}, std::move(why)}; }
inline Decision conflict(std::string why) { return {Action::conflict, {}, std::move(why)}; }

bool same_data(std::vector<dns::Data> a, std::vector<dns::Data> b);  // in whatever order

Decision decide_text(const Situation& situation);    // TXT of every purpose
Decision decide_record(const Situation& situation);  // all other types

}  // namespace tapal::provision
