#include "rules/provision/plan.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "protocols/mailauth/dkim_key_record.h"
#include "rules/provision/decision.h"
#include "values/dns/name.h"
#include "values/dns/rdata_fields.h"
#include "values/text/ascii.h"

namespace tapal::provision {
namespace {

// What a CNAME cannot stand beside (RFC 1034 section 3.6.2), as far as it is likely.
constexpr std::array beside_cname{dns::Type::a, dns::Type::aaaa, dns::Type::mx, dns::Type::txt};

// Policies are read through a CNAME: some leave theirs to a service.
bool may_be_elsewhere(Purpose purpose) {
  return purpose == Purpose::dmarc || purpose == Purpose::tls_reports;
}

Decision decide_at_alias(const Situation& situation, const dns::RecordSet& alias) {
  const auto* target = std::get_if<dns::NameTarget>(&alias.data.front());
  const std::string leads_to = target != nullptr ? target->name : "another name";
  if (may_be_elsewhere(situation.wanted.purpose))
    return keep(fmt::format("a CNAME leaves it to {}", leads_to));
  return conflict(
      fmt::format("{} is a CNAME to {}, and nothing can stand beside one (RFC 1034 section 3.6.2): "
                  "remove it, or choose another name",
                  alias.name,
                  leads_to));
}

Decision decide(const Situation& situation) {
  const auto& set = situation.wanted.set;
  if (set.type != dns::Type::cname)
    if (const auto* alias = situation.all_published.find(set.name, dns::Type::cname);
        alias != nullptr && !alias->data.empty())
      return decide_at_alias(situation, *alias);
  return set.type == dns::Type::txt ? decide_text(situation) : decide_record(situation);
}

Change change_from(const Situation& situation, Decision decision) {
  Change change{situation.wanted,
                situation.published,
                situation.published,
                decision.action,
                std::move(decision.why)};
  if (!change.writes()) return change;
  change.after.data = std::move(decision.data);
  if (change.action != Action::merge) change.after.ttl = situation.wanted.set.ttl;
  return change;
}

// RFC 8461 section 4.1.
bool names_host(std::span<const std::string> patterns, std::string_view host) {
  return std::ranges::any_of(patterns, [host](std::string_view pattern) {
    return pattern.starts_with("*.") ? dns::parent_of(host) == pattern.substr(2) : host == pattern;
  });
}

// There are some, and each is one that we brought in.
bool all_written(const dns::RecordSet& set, const RecordSets& written) {
  const auto* ours = written.find(set.name, set.type);
  return ours != nullptr && !set.data.empty() &&
         std::ranges::all_of(set.data, [ours](const dns::Data& data) {
           return std::ranges::find(ours->data, data) != ours->data.end();
         });
}

// A policy turns mail away from the hosts that it does not name (RFC 8461 section 5).
void hold_back_mta_sts(std::vector<Change>& changes, std::span<const std::string> policy_hosts) {
  const auto mx = std::ranges::find_if(
      changes, [](const Change& one) { return one.wanted.purpose == Purpose::mail_exchange; });
  if (mx == changes.end()) return;
  const auto& ours = std::get<dns::MailExchange>(mx->wanted.set.data.front()).exchange;
  const auto other = std::ranges::find_if(mx->after.data, [&](const dns::Data& data) {
    const auto* exchange = std::get_if<dns::MailExchange>(&data);
    return exchange != nullptr && exchange->exchange != ours &&
           !names_host(policy_hosts, exchange->exchange);
  });
  if (other == mx->after.data.end()) return;
  for (auto& change : changes) {
    if (change.wanted.purpose != Purpose::mta_sts || !change.writes()) continue;
    change.after = change.before;
    change.action = Action::conflict;
    change.why = fmt::format(
        "MX also names {}, which the policy of this server does not, and senders that keep to it "
        "would not use that one (RFC 8461 section 5): add it to mta_sts_mx of domain.toml",
        std::get<dns::MailExchange>(*other).exchange);
  }
}

// "v=spf10" is no SPF record.
bool is_of_family(std::string_view text, std::string_view family) {
  return text::starts_with_ignoring_case(text, family) &&
         (text.size() == family.size() || std::string_view(" \t;").contains(text[family.size()]));
}

bool same_key(std::string_view a, std::string_view b) {
  const auto one = mailauth::DkimKeyRecord::parse(a);
  const auto other = mailauth::DkimKeyRecord::parse(b);
  return one && other && *one == *other;
}

}  // namespace

void RecordSets::add(dns::RecordSet set) {
  auto key = std::pair(set.name, set.type);
  sets_.insert_or_assign(std::move(key), std::move(set));
}

const dns::RecordSet* RecordSets::find(std::string_view name, dns::Type type) const {
  const auto found = sets_.find(std::pair(std::string(name), type));
  return found == sets_.end() ? nullptr : &found->second;
}

bool RecordSets::has_data(std::string_view name, dns::Type type) const {
  const auto* set = find(name, type);
  return set != nullptr && !set->data.empty();
}

std::vector<dns::Lookup> plan_lookups(std::span<const WantedSet> wanted) {
  std::vector<dns::Lookup> lookups;
  const auto ask = [&lookups](const std::string& name, dns::Type type) {
    const dns::Lookup lookup{name, type};
    if (std::ranges::find(lookups, lookup) == lookups.end()) lookups.push_back(lookup);
  };
  for (const auto& one : wanted) {
    ask(one.set.name, one.set.type);
    if (one.set.type != dns::Type::cname) {
      ask(one.set.name, dns::Type::cname);
    } else {
      for (const auto type : beside_cname) ask(one.set.name, type);
    }
  }
  return lookups;
}

std::string_view value_class_text(ValueClass value_class) {
  switch (value_class) {
    case ValueClass::ours: return "ours";
    case ValueClass::same_family: return "same family";
    case ValueClass::foreign: return "foreign";
  }
  return "foreign";
}

std::string_view action_text(Action action) {
  switch (action) {
    case Action::keep: return "keep";
    case Action::create: return "create";
    case Action::merge: return "merge";
    case Action::replace: return "replace";
    case Action::remove: return "remove";
    case Action::conflict: return "conflict";
  }
  return "keep";
}

bool Plan::writes() const { return std::ranges::any_of(changes, &Change::writes); }

std::vector<const Change*> Plan::blocking() const {
  std::vector<const Change*> blocking;
  for (const auto& change : changes)
    if (change.action == Action::conflict && change.wanted.strength == Strength::must)
      blocking.push_back(&change);
  return blocking;
}

Result<Plan> make_plan(std::string domain,
                       std::span<const WantedSet> wanted,
                       const RecordSets& published,
                       const PlanOptions& options) {
  for (const auto& [name, type] : plan_lookups(wanted))
    if (published.find(name, type) == nullptr)
      return fail(
          Code::invalid,
          fmt::format("it is not known what is published at {} {}", name, dns::type_text(type)));
  Plan plan{std::move(domain), {}};
  for (const auto& one : wanted) {
    const Situation situation{
        one, *published.find(one.set.name, one.set.type), published, wanted, options, plan.domain};
    plan.changes.push_back(change_from(situation, decide(situation)));
  }
  hold_back_mta_sts(plan.changes, options.policy_hosts);
  for (const auto& one : options.unwanted) {
    const auto* set = published.find(one.set.name, one.set.type);
    if (set != nullptr && all_written(*set, options.written))
      plan.changes.push_back({one, *set, one.set, Action::remove, one.why});
  }
  return plan;
}

ValueClass classify(const WantedSet& wanted, const dns::Data& data, const RecordSets& written) {
  const auto& set = wanted.set;
  if (std::ranges::find(set.data, data) != set.data.end()) return ValueClass::ours;
  if (const auto* last = written.find(set.name, set.type))
    if (std::ranges::find(last->data, data) != last->data.end()) return ValueClass::ours;
  if (const auto* text = std::get_if<dns::Text>(&data)) {
    if (wanted.purpose == Purpose::signing_key) {
      const auto& key = std::get<dns::Text>(set.data.front()).value;
      if (same_key(text->value, key)) return ValueClass::ours;
      // v= may be left out (RFC 6376 section 3.6.1).
      return mailauth::DkimKeyRecord::parse(text->value) ? ValueClass::same_family
                                                         : ValueClass::foreign;
    }
    return is_of_family(text->value, text_family(wanted.purpose)) ? ValueClass::same_family
                                                                  : ValueClass::foreign;
  }
  if (wanted.purpose == Purpose::pinned_keys) return ValueClass::same_family;
  if (wanted.purpose == Purpose::issuers) {
    const auto ours = dns::authorization_from_data(set.data.front());
    const auto theirs = dns::authorization_from_data(data);
    const auto issuer = [](const std::string& value) {
      return text::trim(std::string_view(value).substr(0, value.find(';')));
    };
    if (ours && theirs && issuer(ours->value) == issuer(theirs->value))
      return ValueClass::same_family;
  }
  return ValueClass::foreign;
}

void judge_lookups(Change& change, const mailauth::SpfLookupCount& count) {
  if (count.total() <= mailauth::spf_lookup_terms_max) return;
  std::string terms;
  for (const auto& term : count.terms())
    terms += fmt::format("{}{} ({})", terms.empty() ? "" : ", ", term.text, term.terms);
  change.action = Action::conflict;
  change.after = change.before;
  change.why = fmt::format(
      "the record asks DNS {}{} times, and receivers give up after {} (RFC 7208 section 4.6.4): "
      "take out what is not used any more, of {}",
      count.total() >= mailauth::SpfLookupCount::counted_max ? "at least " : "",
      count.total(),
      mailauth::spf_lookup_terms_max,
      text::printable(terms));
}

std::string_view text_family(Purpose purpose) {
  switch (purpose) {
    case Purpose::sender_policy:
    case Purpose::host_policy:
    case Purpose::no_mail_policy: return "v=spf1";
    case Purpose::signing_key: return "v=DKIM1";
    case Purpose::dmarc:
    case Purpose::report_consent: return "v=DMARC1";
    case Purpose::mta_sts: return "v=STSv1";
    case Purpose::tls_reports: return "v=TLSRPTv1";
    default: return {};
  }
}

}  // namespace tapal::provision
