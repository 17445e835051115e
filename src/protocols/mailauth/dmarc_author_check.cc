#include "protocols/mailauth/dmarc_author_check.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "protocols/mailauth/domain_name.h"

namespace tapal::mailauth {
namespace {

using Method = DmarcIdentifier::Method;
using Outcome = DmarcIdentifier::Outcome;
using FoundAt = DmarcResult::FoundAt;

std::string name_of(const DmarcIdentifier& identifier) {
  return fmt::format("{} {}", identifier.method == Method::spf ? "SPF" : "DKIM", identifier.domain);
}

std::string names_of(const std::vector<DmarcIdentifier>& identifiers) {
  std::vector<std::string> names;
  names.reserve(identifiers.size());
  for (const DmarcIdentifier& identifier : identifiers) names.push_back(name_of(identifier));
  return fmt::format("{}", fmt::join(names, ", "));
}

// Section 4.7, t=y.
DmarcPolicy one_step_less(DmarcPolicy policy) {
  return policy == DmarcPolicy::reject ? DmarcPolicy::quarantine : DmarcPolicy::none;
}

DmarcAlignment mode_of(const DmarcIdentifier& identifier, const DmarcRecord& record) {
  return identifier.method == Method::spf ? record.spf_alignment : record.dkim_alignment;
}

class AuthorCheck {
 public:
  AuthorCheck(const std::string& author,
              const std::vector<DmarcIdentifier>& identifiers,
              DmarcAnswers& answers,
              const dns::PublicSuffixes* suffixes)
      : author_(author), identifiers_(identifiers), answers_(answers), suffixes_(suffixes) {
    result_.author_domain = walk_.organizational_domain = author;
  }

  // Nothing: an answer is missing.
  std::optional<DmarcResult> run();

 private:
  enum class Alignment : std::uint8_t { no, yes, unknown };
  bool needs_organizational_domain(const DmarcRecord& record) const;
  void choose_record(const DmarcAnswer& own);
  void take_policy(std::string_view tag, DmarcPolicy policy);
  std::optional<Alignment> alignment_of(const DmarcIdentifier& identifier);
  std::optional<DmarcResult> judge();
  std::optional<DmarcResult> judge_failure(const std::vector<DmarcIdentifier>& not_aligned);
  std::string why_failed(const std::vector<DmarcIdentifier>& not_aligned) const;
  bool would_align_by_list(const DmarcIdentifier& identifier) const;

  DmarcResult settle(DmarcVerdict verdict, std::string reason);

  const std::string& author_;
  const std::vector<DmarcIdentifier>& identifiers_;
  DmarcAnswers& answers_;
  const dns::PublicSuffixes* suffixes_;
  DmarcWalk walk_;                       // as long as it is not needed, the author domain alone
  const DmarcRecord* record_ = nullptr;  // the one to go by
  std::string asked_;                    // "sp=reject", for people
  DmarcResult result_;
};

std::optional<DmarcResult> AuthorCheck::run() {
  const DmarcAnswer* own = answers_.record_at(author_);
  if (own == nullptr) return {};
  const std::string not_now = "DNS does not tell now whether " + author_ + " has a DMARC record";
  if (own->failed) return settle(DmarcVerdict::temperror, not_now);
  if (!own->record || needs_organizational_domain(*own->record)) {
    auto walk = dmarc_tree_walk(author_, answers_, suffixes_);
    if (!walk) return {};
    walk_ = *std::move(walk);
    if (walk_.failed && !own->record) return settle(DmarcVerdict::temperror, not_now);
  }
  choose_record(*own);
  if (record_ == nullptr) {
    return settle(DmarcVerdict::none,
                  own->records > 1
                      ? fmt::format("{} has {} DMARC records: all are void", author_, own->records)
                      : "no DMARC record at " + author_ + " or above it");
  }
  if (!record_->applies) return settle(DmarcVerdict::none, record_->notes.front());
  return judge();
}

DmarcResult AuthorCheck::settle(DmarcVerdict verdict, std::string reason) {
  result_.verdict = verdict;
  result_.reason = std::move(reason);
  if (verdict == DmarcVerdict::fail) result_.disposition = result_.policy;
  return std::move(result_);
}

// Section 4.10.2: not when all that passed is the author's domain itself, or has to be.
bool AuthorCheck::needs_organizational_domain(const DmarcRecord& record) const {
  return std::ranges::any_of(identifiers_, [&](const DmarcIdentifier& identifier) {
    return identifier.domain != author_ && mode_of(identifier, record) == DmarcAlignment::relaxed;
  });
}

// Section 4.10.1: the author domain's, else the organizational domain's, else the public suffix's.
void AuthorCheck::choose_record(const DmarcAnswer& own) {
  if (!walk_.failed) result_.organizational_domain = walk_.organizational_domain;
  const auto choose = [this](FoundAt where, const DmarcWalk::Step& step) {
    record_ = step.record;
    result_.found_at = where;
    result_.policy_domain = step.domain;
    result_.record = *step.record;
    result_.record_text = step.text;
  };
  if (own.record) return choose(FoundAt::author_domain, {author_, &*own.record, own.text});
  if (walk_.records.empty()) return;
  const auto found =
      std::ranges::find(walk_.records, walk_.organizational_domain, &DmarcWalk::Step::domain);
  if (found != walk_.records.end()) return choose(FoundAt::organizational_domain, *found);
  choose(FoundAt::public_suffix, walk_.records.back());
}

// Section 4.4. The organizational domain of an identifier is the identifier or above it.
std::optional<AuthorCheck::Alignment> AuthorCheck::alignment_of(const DmarcIdentifier& identifier) {
  const std::string& organization = result_.organizational_domain;
  if (identifier.domain == author_) return Alignment::yes;
  if (mode_of(identifier, *record_) == DmarcAlignment::strict) return Alignment::no;
  if (organization.empty()) return Alignment::unknown;
  if (identifier.domain == organization) return Alignment::yes;
  if (!is_same_or_below(identifier.domain, organization)) return Alignment::no;
  const auto walk = dmarc_tree_walk(identifier.domain, answers_, suffixes_);
  if (!walk) return {};
  if (walk->failed) return Alignment::unknown;
  return walk->organizational_domain == organization ? Alignment::yes : Alignment::no;
}

std::optional<DmarcResult> AuthorCheck::judge() {
  std::vector<DmarcIdentifier> not_aligned;
  std::vector<DmarcIdentifier> uncertain;
  for (const DmarcIdentifier& identifier : identifiers_) {
    const auto alignment = alignment_of(identifier);
    if (!alignment) return {};
    const bool passed = identifier.outcome == Outcome::passed;
    if (*alignment == Alignment::no) {
      if (passed) not_aligned.push_back(identifier);
    } else if (passed && *alignment == Alignment::yes) {
      result_.aligned.push_back(identifier);
    } else {
      uncertain.push_back(identifier);
    }
  }
  const auto& for_subdomains = record_->subdomain_policy;
  if (for_subdomains && result_.found_at != FoundAt::author_domain) {
    take_policy("sp", *for_subdomains);
  } else {
    take_policy("p", record_->policy);
  }
  if (!result_.aligned.empty())
    return settle(DmarcVerdict::pass, "aligned: " + names_of(result_.aligned));
  // Section 5.3.6: neither pass nor fail when what might have aligned is not known.
  if (!uncertain.empty())
    return settle(DmarcVerdict::temperror, "not known now: " + names_of(uncertain));
  return judge_failure(not_aligned);
}

void AuthorCheck::take_policy(std::string_view tag, DmarcPolicy policy) {
  result_.policy = record_->testing ? one_step_less(policy) : policy;
  asked_ = fmt::format("{}={}{}",
                       tag,
                       dmarc_policy_text(policy),
                       record_->testing ? ", less one step for testing (t=y)" : "");
}

// Section 4.10.1: np= is for author domains that DNS does not have.
std::optional<DmarcResult> AuthorCheck::judge_failure(
    const std::vector<DmarcIdentifier>& not_aligned) {
  const auto& for_nonexistent = record_->nonexistent_policy;
  if (for_nonexistent && result_.found_at != FoundAt::author_domain) {
    const DmarcAnswer* existence = answers_.existence_of(author_);
    if (existence == nullptr) return {};
    if (existence->failed)
      return settle(DmarcVerdict::temperror, "DNS does not tell now whether there is " + author_);
    if (existence->no_such_name) take_policy("np", *for_nonexistent);
  }
  return settle(DmarcVerdict::fail, why_failed(not_aligned));
}

std::string AuthorCheck::why_failed(const std::vector<DmarcIdentifier>& not_aligned) const {
  const std::string why = not_aligned.empty() ? "neither SPF nor DKIM passed"
                                              : "passed, but not aligned with " + author_ + ": " +
                                                    names_of(not_aligned);
  const bool is_mendable = std::ranges::any_of(
      not_aligned, [this](const auto& identifier) { return would_align_by_list(identifier); });
  return fmt::format("{}; {} asks for {}{}",
                     why,
                     result_.policy_domain,
                     asked_,
                     is_mendable ? "; RFC 7489 would have let it pass: a DMARC record at the "
                                   "registered domain mends that"
                                 : "");
}

// The owner of a record below the registered domain may count on RFC 7489, for which all domains
// below the registered one were aligned. By RFC 9989 they are if that has a record too.
bool AuthorCheck::would_align_by_list(const DmarcIdentifier& identifier) const {
  if (suffixes_ == nullptr || walk_.records.empty() || !record_->only_rfc7489 ||
      mode_of(identifier, *record_) == DmarcAlignment::strict ||
      walk_.records.back().record->psd != DmarcRecord::Psd::unknown)
    return false;
  const auto registered = suffixes_->registrable(author_);
  return registered && registered == suffixes_->registrable(identifier.domain) &&
         registered != walk_.organizational_domain;
}

}  // namespace

std::optional<DmarcResult> check_author(const std::string& author,
                                        const std::vector<DmarcIdentifier>& identifiers,
                                        DmarcAnswers& answers,
                                        const dns::PublicSuffixes* suffixes) {
  return AuthorCheck(author, identifiers, answers, suffixes).run();
}

}  // namespace tapal::mailauth
