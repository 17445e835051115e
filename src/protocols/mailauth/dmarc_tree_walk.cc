#include "protocols/mailauth/dmarc_tree_walk.h"

#include "values/dns/name.h"

namespace tapal::mailauth {
namespace {

constexpr std::size_t labels_max = 7;  // of every name behind the first

// Steps 3, 4 and 7: without the first label, longer ones cut to seven. Empty: there is no more.
std::string_view next_target(std::string_view domain) {
  std::string_view next = dns::parent_of(domain);
  for (std::size_t labels = dns::labels_of(next).size(); labels > labels_max; --labels)
    next = dns::parent_of(next);
  return next;
}

bool is_listed(std::string_view domain, const dns::PublicSuffixes* suffixes) {
  return suffixes != nullptr && suffixes->is_listed(domain);
}

DmarcRecord::Psd psd_of(const DmarcWalk::Step& step, const dns::PublicSuffixes* suffixes) {
  const bool is_unaware_suffix = step.record->only_rfc7489 && is_listed(step.domain, suffixes);
  return is_unaware_suffix ? DmarcRecord::Psd::yes : step.record->psd;
}

// The ancestor of `domain` that is directly below `suffix`.
std::string_view one_below(std::string_view domain, std::string_view suffix) {
  while (dns::parent_of(domain) != suffix) domain = dns::parent_of(domain);
  return domain;
}

bool is_single_label(std::string_view domain) { return dns::parent_of(domain).empty(); }

}  // namespace

const DmarcAnswer* DmarcAnswers::record_at(std::string_view domain) {
  return find({"_dmarc." + std::string(domain), dns::Type::txt});
}

// Any type would do: NXDOMAIN is said of the name (RFC 9989 section 3.2.13 and appendix A.4).
const DmarcAnswer* DmarcAnswers::existence_of(std::string_view domain) {
  return find({std::string(domain), dns::Type::a});
}

const DmarcAnswer* DmarcAnswers::find(dns::Lookup lookup) {
  const auto found = answers_.find(lookup);
  if (found != answers_.end()) return &found->second;
  wanted_ = std::move(lookup);
  return nullptr;
}

void DmarcAnswers::add(const dns::LookupReply& reply) {
  using Status = dns::LookupReply::Status;
  if (!wanted_) return;
  DmarcAnswer& answer = answers_[*wanted_];
  wanted_.reset();
  answer.failed = reply.status == Status::failed;
  answer.no_such_name = reply.status == Status::no_such_name || reply.status == Status::impossible;
  for (const dns::Record& record : reply.records) {
    const auto* text = std::get_if<dns::Text>(&record.data);
    auto parsed = text == nullptr ? fail(Code::invalid, "") : DmarcRecord::parse(text->value);
    if (!parsed) continue;
    ++answer.records;
    answer.record = *std::move(parsed);
    answer.text = text->value;
  }
  if (answer.records > 1) answer.record.reset();
}

std::optional<DmarcWalk> dmarc_tree_walk(std::string_view domain,
                                         DmarcAnswers& answers,
                                         const dns::PublicSuffixes* suffixes) {
  using Psd = DmarcRecord::Psd;
  DmarcWalk walk;
  walk.organizational_domain = domain;
  for (std::string_view at = domain; !at.empty(); at = next_target(at)) {
    const DmarcAnswer* answer = answers.record_at(at);
    if (answer == nullptr) return {};
    if (answer->failed && !is_single_label(at) && !is_listed(at, suffixes)) {
      walk.failed = true;
      return walk;
    }
    if (!answer->record) continue;
    walk.records.push_back({std::string(at), &*answer->record, answer->text});
    // The last record so far has the fewest labels (section 4.10.2 step 3); psd= ends the search.
    walk.organizational_domain = at;
    const Psd psd = psd_of(walk.records.back(), suffixes);
    if (psd == Psd::yes && at != domain) walk.organizational_domain = one_below(domain, at);
    if (psd != Psd::unknown) break;
  }
  return walk;
}

}  // namespace tapal::mailauth
