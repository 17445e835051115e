// Wanted DNS records against published ones: what to keep, create, merge and replace, and what is
// left to the owner, each with its reason. Nothing that others made is lost without being asked for
// by name, and nothing is ever wanted at NS and SOA records.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocols/mailauth/spf_lookup_count.h"
#include "rules/provision/wanted_records.h"
#include "values/dns/lookup.h"
#include "values/dns/record_set.h"

namespace tapal::provision {

// Record sets by name and type; one that is not here is not known, an empty one is known to be
// empty.
class RecordSets {
 public:
  void add(dns::RecordSet set);
  const dns::RecordSet* find(std::string_view name, dns::Type type) const;
  bool has_data(std::string_view name, dns::Type type) const;

 private:
  std::map<std::pair<std::string, dns::Type>, dns::RecordSet> sets_;
};

// All that make_plan() must know is published: the wanted sets, and what cannot stand beside them.
std::vector<dns::Lookup> plan_lookups(std::span<const WantedSet> wanted);

struct PlanOptions {
  bool take_mx = false;    // an MX that leads elsewhere is replaced
  bool take_host = false;  // so are other addresses of the host; never those of a domain itself
  std::vector<std::string> policy_hosts;  // of the MTA-STS policy beside ours; "*." for one label
  RecordSets written;  // values that we brought in ourselves: those that still stand are ours
  std::vector<std::string> written_spf_terms;  // "ip4:192.0.2.1": the same, of the domain's SPF
  bool join_reports = false;        // reports of an owner's own records come here as well
  std::vector<WantedSet> unwanted;  // without data: go where every value is one that we wrote
};

enum class ValueClass : std::uint8_t {
  ours,         // as wanted, or as we wrote it
  same_family,  // for the same purpose, by somebody else: "v=spf1 ..."
  foreign,
};
std::string_view value_class_text(ValueClass value_class);  // "same family"

enum class Action : std::uint8_t { keep, create, merge, replace, remove, conflict };
std::string_view action_text(Action action);  // "merge"

// One wanted set and what becomes of it.
struct Change {
  WantedSet wanted;
  dns::RecordSet before;  // as published
  dns::RecordSet after;   // the whole set as it shall be; `before` for keep and conflict
  Action action = Action::keep;
  std::string why;  // for a conflict: what to do about it

  bool writes() const { return action != Action::keep && action != Action::conflict; }
};

struct Plan {
  std::string domain;
  std::vector<Change> changes;

  bool writes() const;
  // Conflicts about what is needed: they keep a plan from being applied. Others are left.
  std::vector<const Change*> blocking() const;
};

// Every lookup of plan_lookups() must be in `published`: Code::invalid names one that is not.
Result<Plan> make_plan(std::string domain,
                       std::span<const WantedSet> wanted,
                       const RecordSets& published,
                       const PlanOptions& options);

ValueClass classify(const WantedSet& wanted, const dns::Data& data, const RecordSets& written);

// Turns the SPF change into a conflict when the record asks DNS too often for receivers.
void judge_lookups(Change& sender_policy, const mailauth::SpfLookupCount& count);

// What a text record begins with that serves this purpose; empty when it is not told by that.
std::string_view text_family(Purpose purpose);  // "v=spf1"

}  // namespace tapal::provision
