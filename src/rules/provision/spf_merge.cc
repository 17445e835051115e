#include "rules/provision/spf_merge.h"

#include <algorithm>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "protocols/mailauth/spf_record.h"
#include "values/text/ascii.h"

namespace tapal::provision {
namespace {

using mailauth::SpfMechanism;
using mailauth::SpfRecord;
using mailauth::SpfTerm;
using mailauth::SpfVerdict;

constexpr std::size_t record_bytes_max = 2048;  // a sane answer over UDP (RFC 7208 section 3.4)

// Before the first term that may turn a client away, or that ends the record: there an address is
// sure to be reached, and takes nothing from the terms behind it.
bool is_turning_point(const SpfTerm& term) {
  return term.mechanism == SpfMechanism::all || term.verdict != SpfVerdict::pass;
}

bool names_address(const SpfRecord& record, const IpAddress& address) {
  for (const auto& term : record.terms) {
    if (is_turning_point(term)) return false;
    if (!term.asks_dns() && term.covers(term.address, address)) return true;
  }
  return false;
}

// Where in `text` that point is; its end where there is none.
std::size_t turning_point(std::string_view text, const SpfRecord& record) {
  const auto turn = std::ranges::find_if(record.terms, is_turning_point);
  auto directive = record.terms.begin();
  for (const auto word : text::words(text)) {
    const auto at = static_cast<std::size_t>(word.data() - text.data());
    if (at == 0) continue;  // the version
    if (directive == record.terms.end() || word != directive->text) {
      if (turn == record.terms.end() && directive == record.terms.end()) return at;  // a modifier
      continue;
    }
    if (directive++ == turn) return at;
  }
  return text.size();
}

Result<SpfRecord> parse(std::string_view text) {
  auto record = SpfRecord::parse(text);
  if (record) return record;
  return fail(Code::invalid,
              fmt::format("the published SPF record is broken ({}); correct or remove it by hand",
                          record.error().what));
}

int strictness(const SpfTerm& all) {
  switch (all.verdict) {
    case SpfVerdict::fail: return 3;
    case SpfVerdict::softfail: return 2;
    case SpfVerdict::neutral: return 1;
    default: return 0;
  }
}

// Several records as one.
class Union {
 public:
  Result<void> add(std::string_view text) {
    TAPAL_TRY(const auto record, parse(text));
    if (record.redirect || record.explanation)
      return fail(Code::invalid,
                  "there are several SPF records, and one has redirect= or exp=: make them one by "
                  "hand, then try again");
    for (const auto& term : record.terms) {
      if (term.mechanism == SpfMechanism::all) {
        if (!all_ || strictness(term) > strictness(*all_)) all_ = term;
        return {};  // what stands behind it was never reached
      }
      if (std::ranges::find(directives_, term.text) == directives_.end())
        directives_.push_back(term.text);
    }
    return {};
  }
  std::string text() const {
    std::string text = "v=spf1";
    for (const auto& directive : directives_) text += " " + directive;
    if (all_) text += " " + all_->text;
    return text;
  }

 private:
  std::vector<std::string> directives_;
  std::optional<SpfTerm> all_;
};

}  // namespace

bool spf_names_address(std::string_view text, const IpAddress& address) {
  const auto record = SpfRecord::parse(text);
  return record && names_address(*record, address);
}

std::string spf_without(std::string_view record,
                        std::span<const std::string> terms,
                        std::span<const IpAddress> addresses) {
  std::string left;
  for (const auto word : text::words(record)) {
    const auto alone = fmt::format("v=spf1 {}", word);
    const bool is_used = std::ranges::any_of(
        addresses, [&](const IpAddress& address) { return spf_names_address(alone, address); });
    if (!is_used && std::ranges::find(terms, word) != terms.end()) continue;
    left += (left.empty() ? "" : " ") + std::string(word);
  }
  return left;
}

Result<std::string> merge_spf(std::span<const std::string_view> records,
                              std::span<const IpAddress> addresses) {
  std::string text(records.front());
  if (records.size() > 1) {
    Union all;
    for (const auto record : records) {
      TAPAL_CHECK(all.add(record));
    }
    text = all.text();
  }
  TAPAL_TRY(const auto record, parse(text));
  std::string added;
  for (const auto& address : addresses)
    if (!names_address(record, address))
      added += fmt::format("ip{}:{} ", address.is_v4() ? 4 : 6, address.text());
  if (added.empty()) return text;
  const std::size_t at = turning_point(text, record);
  if (at < text.size()) {
    text.insert(at, added);
  } else {
    if (!text.ends_with(' ')) text += ' ';
    text += added.substr(0, added.size() - 1);
  }
  if (text.size() > record_bytes_max)
    return fail(Code::invalid,
                fmt::format("the SPF record would have {} bytes: take out what is not used any "
                            "more, then try again",
                            text.size()));
  return text;
}

}  // namespace tapal::provision
