#include "protocols/mailauth/spf_lookup_count.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "protocols/mailauth/spf_macro.h"
#include "values/text/ascii.h"

namespace tapal::mailauth {
namespace {

// What depends on the message cannot be followed. %{d} does not, and is common enough.
bool depends_on_message(const SpfMacroText& target) {
  return std::ranges::any_of(std::string_view("slohivpcrt"),
                             [&target](char letter) { return target.uses(letter); });
}

}  // namespace

SpfLookupCount::SpfLookupCount(const std::string& domain, std::string_view record) {
  const auto parsed = SpfRecord::parse(record);
  if (parsed) count(*parsed, domain, {});
}

std::optional<dns::Lookup> SpfLookupCount::next_lookup() const {
  if (waiting_.empty() || total_ >= counted_max) return {};
  return dns::Lookup{waiting_.back().domain, dns::Type::txt};
}

void SpfLookupCount::on_reply(const dns::LookupReply& reply) {
  const Waiting asked = std::move(waiting_.back());
  waiting_.pop_back();
  const auto problem = [&](std::string_view what) {
    problems_.push_back(fmt::format("{}: {}", text::printable(asked.domain), what));
  };
  if (reply.status == dns::LookupReply::Status::failed) return problem("DNS did not answer");
  std::vector<std::string_view> policies;
  for (const auto& record : reply.records)
    if (const auto* text = std::get_if<dns::Text>(&record.data))
      if (SpfRecord::has_version(text->value)) policies.emplace_back(text->value);
  if (policies.empty()) return problem("has no SPF record");
  if (policies.size() > 1) return problem("has several SPF records");
  const auto record = SpfRecord::parse(policies.front());
  if (!record) return problem(record.error().what);
  count(*record, asked.domain, asked.term);
}

// `term` is the one of the first record that led here; nothing for that record itself.
void SpfLookupCount::count(const SpfRecord& record,
                           std::string_view domain,
                           std::optional<std::size_t> term) {
  for (const auto& directive : record.terms) {
    // What stands behind it is never reached, nor is redirect (RFC 7208 sections 5.1 and 6.1).
    if (directive.mechanism == SpfMechanism::all) return;
    if (!directive.asks_dns()) continue;
    auto charged = term;
    count_term(directive.text, charged);
    if (directive.mechanism == SpfMechanism::include && directive.target && charged)
      follow(*directive.target, domain, *charged);
  }
  if (!record.redirect) return;
  auto charged = term;
  count_term("redirect=", charged);
  if (charged) follow(*record.redirect, domain, *charged);
}

void SpfLookupCount::count_term(std::string_view text, std::optional<std::size_t>& term) {
  if (!term) {
    term = terms_.size();
    terms_.push_back({std::string(text), 0});
  }
  ++terms_[*term].terms;
  ++total_;
}

void SpfLookupCount::follow(const SpfMacroText& target, std::string_view domain, std::size_t term) {
  if (depends_on_message(target)) return;
  SpfMacroValues values;
  values.domain = domain;
  if (auto name = dns_name_of(target.expand_domain(values)))
    waiting_.push_back({*std::move(name), term});
}

}  // namespace tapal::mailauth
