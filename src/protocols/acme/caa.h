// Whether the domain's CAA records allow an authority to issue (RFC 8659, RFC 8657): looked at
// before ordering, because a refusal by the authority costs time and counts against its limits.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/acme/challenge.h"
#include "values/dns/lookup.h"
#include "values/dns/rdata_fields.h"

namespace tapal::acme {

struct CaaQuestion {
  std::string name;                       // A-labels; "*." in front asks for a wildcard
  std::vector<std::string> issuer_names;  // any of them will do; none: nothing is looked up
  std::string account_url;                // empty: not known, and not compared
  std::vector<ChallengeKind> kinds;       // that will be used; any of them will do
};

// A core that asks DNS in the way of values/dns/lookup.h: at most one question a label.
class CaaCheck {
 public:
  explicit CaaCheck(CaaQuestion question);

  std::optional<dns::Lookup> next_lookup() const;
  void on_reply(const dns::LookupReply& reply);

  // What stands against it, with the record that would help; empty: nothing does. Meaningful when
  // next_lookup() has no more. Where DNS fails nothing is said: the authority will see for itself.
  const std::string& objection() const { return objection_; }

 private:
  void judge(const std::vector<dns::Authorization>& properties);  // tags in lower case
  bool allows(const std::string& value) const;

  CaaQuestion question_;
  bool is_wildcard_ = false;
  std::string at_;  // whose records are asked for next; empty: done
  std::string objection_;
};

}  // namespace tapal::acme
