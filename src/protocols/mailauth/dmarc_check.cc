#include "protocols/mailauth/dmarc_check.h"

#include "protocols/mailauth/dmarc_author_check.h"
#include "protocols/mailauth/domain_name.h"

namespace tapal::mailauth {
namespace {

// Those that matter, as names that can be compared; what is no name cannot be aligned.
std::vector<DmarcIdentifier> comparable(std::vector<DmarcIdentifier> identifiers) {
  std::vector<DmarcIdentifier> good;
  for (DmarcIdentifier& identifier : identifiers) {
    if (identifier.outcome == DmarcIdentifier::Outcome::not_passed) continue;
    auto domain = comparable_name(identifier.domain);
    if (!domain || good.size() == dmarc_identifiers_max) continue;
    identifier.domain = *std::move(domain);
    good.push_back(std::move(identifier));
  }
  return good;
}

}  // namespace

DmarcCheck::DmarcCheck(DmarcQuestion question, const dns::PublicSuffixes* suffixes)
    : author_(std::move(question.author)),
      identifiers_(comparable(std::move(question.identifiers))),
      suffixes_(suffixes) {}

// Begins anew with every answer: there are few, and so what was decided too early cannot linger.
std::optional<dns::Lookup> DmarcCheck::next_lookup() {
  std::vector<DmarcResult> results;
  for (const std::string& domain : author_.domains) {
    auto result = check_author(domain, identifiers_, answers_, suffixes_);
    if (!result) return answers_.wanted();
    results.push_back(*std::move(result));
  }
  if (!author_.problem.empty() || results.empty()) {
    DmarcResult unknown;
    unknown.verdict = DmarcVerdict::permerror;
    unknown.reason = author_.problem.empty() ? "no author domain" : author_.problem;
    results.push_back(std::move(unknown));
  }
  result_ = strictest(results);
  return {};
}

}  // namespace tapal::mailauth
