// Decisions about TXT records.
#include <algorithm>

#include <fmt/format.h>

#include "protocols/mailauth/dmarc_record.h"
#include "rules/provision/decision.h"
#include "rules/provision/dmarc_edit.h"
#include "rules/provision/spf_merge.h"
#include "values/text/ascii.h"

namespace tapal::provision {
namespace {

// The values of a TXT set: those of one purpose, and all others, which stay whatever happens.
struct Texts {
  std::vector<std::string_view> family;
  std::vector<dns::Data> others;

  explicit Texts(const Situation& situation) {
    for (const auto& data : situation.published.data) {
      const auto* text = std::get_if<dns::Text>(&data);
      const bool is_other =
          text == nullptr ||
          classify(situation.wanted, data, situation.options.written) == ValueClass::foreign;
      if (is_other) {
        others.push_back(data);
      } else {
        family.emplace_back(text->value);
      }
    }
  }
  std::vector<dns::Data> with(std::string value) const {
    auto all = others;
    all.push_back(dns::Text{std::move(value)});
    return all;
  }
};

const std::string& wanted_text(const Situation& situation) {
  return std::get<dns::Text>(situation.wanted.set.data.front()).value;
}

Decision drop_old_addresses(const Texts& texts,
                            std::string_view left,
                            std::span<const IpAddress> addresses) {
  auto merged = merge_spf({&left, 1}, addresses);
  if (!merged) return conflict(std::move(merged.error().what));
  return {Action::merge,
          texts.with(*std::move(merged)),
          "addresses that we wrote, and that mail goes out from no more, are taken out"};
}

Decision decide_sender_policy(const Situation& situation, const Texts& texts) {
  std::vector<IpAddress> addresses;
  for (const auto& wanted : situation.all_wanted)
    if (wanted.purpose == Purpose::host_address)
      for (const auto& data : wanted.set.data) addresses.push_back(std::get<IpAddress>(data));
  if (texts.family.size() == 1 && situation.wanted.purpose == Purpose::sender_policy) {
    const std::string_view now = texts.family.front();
    const auto left = spf_without(now, situation.options.written_spf_terms, addresses);
    if (text::words(left).size() < text::words(now).size())
      return drop_old_addresses(texts, left, addresses);
  }
  auto merged = merge_spf(texts.family, addresses);
  if (!merged) return conflict(std::move(merged.error().what));
  if (texts.family.size() == 1 && *merged == texts.family.front())
    return keep("allows every address that mail goes out from");
  std::string why = texts.family.size() > 1
                        ? "several SPF records count as none (RFC 7208 section 4.5): they become "
                          "one with the terms of all"
                        : "allows what it did before, and the addresses of this server";
  return {Action::merge, texts.with(*std::move(merged)), std::move(why)};
}

constexpr std::string_view reports_asked_for = "asked for: --join-reports";

// The record, with reports coming to us as well where that is asked for.
std::string joined_reports(const Situation& situation, std::string_view record) {
  const std::string_view wanted = wanted_text(situation);
  const auto at = wanted.find("rua=");
  if (!situation.options.join_reports || at == wanted.npos) return std::string(record);
  const auto address = wanted.substr(at + 4);
  const std::string uri(text::trim(address.substr(0, address.find(';'))));
  if (record.contains(uri)) return std::string(record);
  return with_reports(record, {&uri, 1});
}

Decision decide_dmarc(const Situation& situation, const Texts& texts) {
  auto merged = merge_dmarc(texts.family);
  if (merged.empty())
    return {Action::replace,
            texts.with(wanted_text(situation)),
            "the published record is broken and counts as none (RFC 9989 section 4.10.1)"};
  if (texts.family.size() > 1)
    return {Action::merge,
            texts.with(std::move(merged)),
            "several DMARC records count as none (RFC 9989 section 4.7): the strictest stays, with "
            "the reports of all"};
  if (auto joined = joined_reports(situation, merged); joined != merged)
    return {Action::merge, texts.with(std::move(joined)), std::string(reports_asked_for)};
  const auto record = mailauth::DmarcRecord::parse(merged);
  const auto& reports = record->aggregate_reports_to;
  return keep(
      fmt::format("the owner's policy stands: p={}, reports {}",
                  mailauth::dmarc_policy_text(record->policy),
                  reports.empty() ? "go nowhere" : "to " + text::printable(reports.front())));
}

Decision decide_tls_reports(const Situation& situation, const Texts& texts) {
  if (texts.family.size() > 1)
    return conflict("several records count as none (RFC 8460 section 3): remove all but one");
  const auto published = texts.family.front();
  if (auto joined = joined_reports(situation, published); joined != published)
    return {Action::merge, texts.with(std::move(joined)), std::string(reports_asked_for)};
  return keep("the owner's choice of where reports go stands");
}

}  // namespace

Decision decide_text(const Situation& situation) {
  const Texts texts(situation);
  const auto& value = wanted_text(situation);
  if (texts.family.empty()) return {Action::create, texts.with(value), situation.wanted.why};
  if (texts.family.size() == 1 && texts.family.front() == value)
    return keep("published as it should be");
  const auto replace = [&](std::string why) {
    return Decision{Action::replace, texts.with(value), std::move(why)};
  };
  switch (situation.wanted.purpose) {
    case Purpose::sender_policy:
    case Purpose::host_policy: return decide_sender_policy(situation, texts);
    case Purpose::dmarc: return decide_dmarc(situation, texts);
    case Purpose::tls_reports: return decide_tls_reports(situation, texts);
    case Purpose::report_consent: return keep("the consent is there");
    case Purpose::signing_key:
      if (texts.family.size() == 1 && situation.is_ours(dns::Text{std::string(texts.family[0])}))
        return keep("the key is there, written in another way");
      return replace(
          "another key stands under this selector, which is ours: signatures would fail");
    case Purpose::mta_sts: return replace("the policy has changed, and its id tells senders so");
    default: break;
  }
  if (std::ranges::all_of(texts.family, [&](std::string_view text) {
        return situation.is_ours(dns::Text{std::string(text)});
      }))
    return replace("what we wrote before has changed");
  return conflict(fmt::format("{} has a policy of its own: remove it, or leave the name out",
                              situation.wanted.set.name));
}

}  // namespace tapal::provision
