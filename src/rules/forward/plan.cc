#include "rules/forward/plan.h"

#include <algorithm>

#include <fmt/format.h>

namespace tapal::forward {
namespace {

using mailauth::DmarcIdentifier;
using mailauth::DmarcPolicy;

const DmarcIdentifier* surviving(const mailauth::DmarcResult& dmarc) {
  const auto found =
      std::ranges::find(dmarc.aligned, DmarcIdentifier::Method::dkim, &DmarcIdentifier::method);
  return found == dmarc.aligned.end() ? nullptr : &*found;
}

std::string loss(const mailauth::DmarcResult& dmarc) {
  return fmt::format(
      "no aligned DKIM signature of {} survives, and SPF is ours from here on; its "
      "DMARC policy asks to {} such mail",
      dmarc.author_domain,
      dmarc.policy == DmarcPolicy::reject ? "reject" : "quarantine");
}

}  // namespace

std::string_view text_of(Remedy remedy) {
  switch (remedy) {
    case Remedy::refuse: return "refuse";
    case Remedy::wrap: return "wrap";
    case Remedy::rewrite_from: return "rewrite-from";
    case Remedy::pass_on: break;
  }
  return "pass-on";
}

Plan plan_forward(const mailauth::Findings& findings, const Remedies& remedies) {
  const auto& dmarc = findings.dmarc;
  if (const auto* dkim = surviving(dmarc))
    return {.reason = fmt::format("the signature of {} survives and is aligned", dkim->domain)};
  if (!dmarc.record)
    return {.reason = dmarc.author_domain.empty()
                          ? "nobody can tell the author's domain, so no policy covers the message"
                          : fmt::format("{} has no DMARC policy", dmarc.author_domain)};
  switch (dmarc.policy) {
    case DmarcPolicy::none:
      return {.reason =
                  fmt::format("the DMARC policy of {} asks for nothing", dmarc.author_domain)};
    case DmarcPolicy::quarantine: return {remedies.when_quarantined, false, loss(dmarc)};
    case DmarcPolicy::reject: break;
  }
  return {remedies.when_rejected, false, loss(dmarc)};
}

}  // namespace tapal::forward
