// The decisions of web_account.h.
#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "drivers/dnsapi/web_account.h"
#include "values/dns/name.h"
#include "values/dns/rdata.h"

namespace tapal::dnsapi {
namespace {

bool has(const auto& list, const auto& item) { return std::ranges::find(list, item) != list.end(); }

std::string title_of(const dns::RecordSet& set) {
  return fmt::format("{} {}", set.name, dns::type_text(set.type));
}

Result<void> check_set(const DnsAccountLimits& limits, const dns::RecordSet& set) {
  const auto no = [&set](std::string_view why) {
    return fail(Code::invalid, fmt::format("{}: {}", title_of(set), why));
  };
  if (!set.data.empty() && has(limits.unsupported, set.type))
    return no(fmt::format("this provider has no {} records", dns::type_text(set.type)));
  for (const auto& data : set.data) {
    if (!dns::data_fits(set.type, data)) return no("its data is of another kind");
    const auto* text = std::get_if<dns::Text>(&data);
    if (text != nullptr && text->value.size() > limits.text_bytes_max)
      return no(fmt::format("{} bytes of text; this provider keeps at most {}",
                            text->value.size(),
                            limits.text_bytes_max));
  }
  return {};
}

bool stands_in_the_way(const dns::RecordSet& gone, const std::vector<dns::RecordSet>& sets) {
  return gone.data.empty() && std::ranges::any_of(sets, [&gone](const dns::RecordSet& other) {
           return !other.data.empty() && other.name == gone.name &&
                  (other.type == dns::Type::cname || gone.type == dns::Type::cname);
         });
}

}  // namespace

Result<void> check_sets(const DnsAccountLimits& limits,
                        std::string_view zone,
                        const std::vector<dns::RecordSet>& sets) {
  for (const auto& set : sets) {
    if (!dns::is_subdomain_of(set.name, zone))
      return fail(Code::not_found, fmt::format("{} is not in the zone {}", set.name, zone));
    TAPAL_CHECK(check_set(limits, set));
  }
  return {};
}

std::vector<dns::RecordSet> in_order(std::vector<dns::RecordSet> sets) {
  std::vector<dns::RecordSet> first;
  std::vector<dns::RecordSet> last;
  std::vector<dns::RecordSet> kept;
  for (auto& set : sets) {
    std::vector<dns::Data> once;
    for (auto& data : set.data)
      if (!has(once, data)) once.push_back(std::move(data));
    set.data = std::move(once);
  }
  for (const auto& set : sets)
    (stands_in_the_way(set, sets) ? first : set.data.empty() ? last : kept).push_back(set);
  std::ranges::move(kept, std::back_inserter(first));
  std::ranges::move(last, std::back_inserter(first));
  return first;
}

bool same_set(const dns::RecordSet& a, const dns::RecordSet& b) {
  if (!a.data.empty() && a.ttl != b.ttl) return false;
  return std::ranges::is_permutation(a.data, b.data);
}

std::vector<RecordEdit> record_edits(std::vector<KeptRecord> kept, const dns::RecordSet& wanted) {
  using Kind = RecordEdit::Kind;
  std::vector<RecordEdit> changes;
  std::vector<dns::Data> missing;
  for (const auto& data : wanted.data) {
    const auto found = std::ranges::find(kept, data, &KeptRecord::data);
    if (found == kept.end()) {
      missing.push_back(data);
      continue;
    }
    if (found->ttl != wanted.ttl) changes.push_back({Kind::change, {found->id, wanted.ttl, data}});
    kept.erase(found);
  }
  const std::size_t replaced = std::min(kept.size(), missing.size());
  std::vector<RecordEdit> edits;
  for (std::size_t i = replaced; i < missing.size(); ++i)
    edits.push_back({Kind::add, {{}, wanted.ttl, missing[i]}});
  std::ranges::move(changes, std::back_inserter(edits));
  for (std::size_t i = 0; i < replaced; ++i)
    edits.push_back({Kind::change, {kept[i].id, wanted.ttl, missing[i]}});
  for (std::size_t i = replaced; i < kept.size(); ++i) edits.push_back({Kind::remove, kept[i]});
  return edits;
}

}  // namespace tapal::dnsapi
