// Decisions about records other than TXT.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "rules/provision/decision.h"
#include "values/dns/rdata.h"
#include "values/dns/rdata_fields.h"

namespace tapal::provision {
namespace {

constexpr std::uint16_t preference_step = 10;

bool holds(const std::vector<dns::Data>& all, const dns::Data& one) {
  return std::ranges::find(all, one) != all.end();
}

// What both have, once.
std::vector<dns::Data> joined(std::vector<dns::Data> all, const std::vector<dns::Data>& more) {
  for (const auto& data : more)
    if (!holds(all, data)) all.push_back(data);
  return all;
}

std::string shown(const dns::RecordSet& set) {
  std::string text;
  for (const auto& data : set.data)
    text += (text.empty() ? "" : ", ") + dns::data_to_text(set.type, data);
  return text;
}

bool all_ours(const Situation& situation) {
  return std::ranges::all_of(situation.published.data, [&situation](const dns::Data& data) {
    return situation.is_ours(data);
  });
}

Decision replace(const Situation& situation, std::string why) {
  return {Action::replace, situation.wanted.set.data, std::move(why)};
}

Decision decide_host_address(const Situation& situation) {
  const auto& wanted = situation.wanted.set;
  const auto& published = situation.published;
  const bool is_domain = wanted.name == situation.domain;
  auto both = joined(published.data, wanted.data);
  if (both.size() == published.data.size())
    return keep("leads to every address mail goes out from, and to others");
  if (!is_domain && all_ours(situation)) return replace(situation, "the server has moved");
  if (!is_domain && situation.options.take_host)
    return replace(situation, "asked for: --take-host");
  const bool has_ours = both.size() < published.data.size() + wanted.data.size();
  if (!is_domain && has_ours)
    return {Action::merge, std::move(both), "some addresses mail goes out from are missing"};
  return conflict(fmt::format(
      "{} leads elsewhere already ({}): {}",
      wanted.name,
      shown(published),
      is_domain ? "the addresses of the domain itself are left alone; choose another name for the "
                  "server, as in mail." +
                      std::string(situation.domain)
                : "choose another name for the server, or say --take-host"));
}

Decision decide_backup_exchange(const Situation& situation) {
  const auto& exchange = std::get<dns::MailExchange>(situation.wanted.set.data.front()).exchange;
  auto all = situation.published.data;
  std::uint16_t last = 0;
  for (const auto& data : all) {
    const auto* other = std::get_if<dns::MailExchange>(&data);
    if (other == nullptr || other->exchange.empty())
      return conflict("the domain says that it gets no mail (RFC 7505): remove the null MX first");
    last = std::max(last, other->preference);
  }
  const int behind = std::min(last + preference_step, 0xffff);
  all.push_back(dns::MailExchange{static_cast<std::uint16_t>(behind), exchange});
  return {Action::merge, std::move(all), "comes behind the better MX, which stays"};
}

Decision decide_mail_exchange(const Situation& situation) {
  const auto& published = situation.published.data;
  const auto& ours = std::get<dns::MailExchange>(situation.wanted.set.data.front());
  const bool leads_here = std::ranges::any_of(published, [&ours](const dns::Data& data) {
    const auto* exchange = std::get_if<dns::MailExchange>(&data);
    return exchange != nullptr && exchange->exchange == ours.exchange;
  });
  if (leads_here)
    return keep(published.size() == 1 ? "leads to this server"
                                      : "leads to this server, and to others");
  const bool is_backup = std::ranges::none_of(situation.all_wanted, [](const WantedSet& wanted) {
    return wanted.purpose == Purpose::sender_policy;
  });
  if (is_backup) return decide_backup_exchange(situation);
  if (all_ours(situation)) return replace(situation, "the server's name has changed");
  if (situation.options.take_mx) return replace(situation, "asked for: --take-mx");
  return conflict(
      fmt::format("mail for {} goes to {}: say --take-mx to have it come here, or give the domain "
                  "the role \"send\"",
                  situation.domain,
                  shown(situation.published)));
}

// Issuers are only ever added. Without any, every authority may issue; a first record at the domain
// would shut out those that its other names use.
Decision decide_issuers(const Situation& situation) {
  const auto& wanted = situation.wanted.set;
  const auto& published = situation.published.data;
  if (published.empty()) {
    if (wanted.name == situation.domain)
      return keep(
          "none is there, so every authority may issue; a first one would shut out those "
          "that other names of the domain use");
    return {Action::create, wanted.data, situation.wanted.why};
  }
  std::vector<dns::Data> issue;
  for (const auto& data : wanted.data)
    if (const auto rule = dns::authorization_from_data(data); rule && rule->tag == "issue")
      issue.push_back(data);
  auto all = joined(published, issue);
  if (all.size() == published.size()) return keep("our authority and account may issue");
  return {Action::merge, std::move(all), "our authority joins those that may issue"};
}

bool leads_here_by_address(const Situation& situation) {
  constexpr std::array types{dns::Type::a, dns::Type::aaaa};
  bool has_any = false;
  for (const auto type : types) {
    const auto* set = situation.all_published.find(situation.wanted.set.name, type);
    if (set == nullptr) continue;
    for (const auto& data : set->data) {
      has_any = true;
      const bool is_ours = std::ranges::any_of(situation.all_wanted, [&](const WantedSet& wanted) {
        return wanted.purpose == Purpose::host_address && holds(wanted.set.data, data);
      });
      if (!is_ours) return false;
    }
  }
  return has_any;
}

Decision decide_alias(const Situation& situation) {
  const auto& set = situation.wanted.set;
  if (leads_here_by_address(situation)) return keep("leads to this server by its addresses");
  for (const auto type : {dns::Type::a, dns::Type::aaaa, dns::Type::mx, dns::Type::txt})
    if (situation.all_published.has_data(set.name, type))
      return conflict(fmt::format(
          "{} has {} records, and no CNAME can stand beside them: remove them, or serve "
          "what belongs there yourself",
          set.name,
          dns::type_text(type)));
  return {Action::create, set.data, situation.wanted.why};
}

Decision decide_other(const Situation& situation) {
  if (all_ours(situation)) return replace(situation, "what we wrote before has changed");
  return conflict(fmt::format("{} {} is used already ({}): remove it, or do without",
                              situation.wanted.set.name,
                              dns::type_text(situation.wanted.set.type),
                              shown(situation.published)));
}

}  // namespace

bool same_data(std::vector<dns::Data> a, std::vector<dns::Data> b) {
  std::ranges::sort(a);
  std::ranges::sort(b);
  return a == b;
}

Decision decide_record(const Situation& situation) {
  const auto& wanted = situation.wanted.set;
  const auto& published = situation.published.data;
  if (same_data(published, wanted.data)) return keep("published as it should be");
  if (situation.wanted.purpose == Purpose::issuers) return decide_issuers(situation);
  if (published.empty()) {
    if (wanted.type == dns::Type::cname) return decide_alias(situation);
    return {Action::create, wanted.data, situation.wanted.why};
  }
  switch (situation.wanted.purpose) {
    case Purpose::host_address: return decide_host_address(situation);
    case Purpose::mail_exchange: return decide_mail_exchange(situation);
    // Of the host itself, and a wrong one keeps mail out: nobody else's records belong here.
    case Purpose::pinned_keys: return replace(situation, "other keys are pinned than are served");
    default: return decide_other(situation);
  }
}

}  // namespace tapal::provision
