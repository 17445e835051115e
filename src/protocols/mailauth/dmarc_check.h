// Checks a message by DMARC (RFC 9989 section 5.3): finds the policy of its author's domain, and
// whether SPF or DKIM spoke for that domain. A core by the form of values/dns/lookup.h.
//
// A message whose From field is missing, doubled or cannot be read is a permerror that no policy
// covers. It is best refused as no message of RFC 5322: everybody's readers show something else.
#pragma once

#include <optional>
#include <vector>

#include "protocols/mailauth/dmarc_author.h"
#include "protocols/mailauth/dmarc_result.h"
#include "protocols/mailauth/dmarc_tree_walk.h"
#include "values/dns/lookup.h"
#include "values/dns/public_suffix.h"

namespace tapal::mailauth {

inline constexpr std::size_t dmarc_identifiers_max = 12;  // more that passed are not looked at

struct DmarcQuestion {
  AuthorDomains author;  // of author_domains(), or comparable_name()s
  // The one of SPF and one for each DKIM signature; in any form that comparable_name() takes.
  std::vector<DmarcIdentifier> identifiers;
};

class DmarcCheck {
 public:
  // `suffixes`, which may be null, must outlive this.
  explicit DmarcCheck(DmarcQuestion question, const dns::PublicSuffixes* suffixes = nullptr);

  // At most eight for each domain, and one for each author; nothing is asked twice.
  std::optional<dns::Lookup> next_lookup();
  void on_reply(const dns::LookupReply& reply) { answers_.add(reply); }

  // Once next_lookup() gave nothing.
  const DmarcResult& result() const { return result_; }

 private:
  AuthorDomains author_;
  std::vector<DmarcIdentifier> identifiers_;  // comparable_name()s, none that did not pass
  const dns::PublicSuffixes* suffixes_;
  DmarcAnswers answers_;
  DmarcResult result_;
};

}  // namespace tapal::mailauth
