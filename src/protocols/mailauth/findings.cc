#include "protocols/mailauth/findings.h"

#include <algorithm>

#include <fmt/format.h>

namespace tapal::mailauth {
namespace {

using Outcome = DmarcIdentifier::Outcome;

Outcome outcome_of(SpfVerdict verdict) {
  if (verdict == SpfVerdict::pass) return Outcome::passed;
  return verdict == SpfVerdict::temperror ? Outcome::temporary_error : Outcome::not_passed;
}

Outcome outcome_of(DkimVerdict verdict) {
  if (verdict == DkimVerdict::pass) return Outcome::passed;
  return verdict == DkimVerdict::temperror ? Outcome::temporary_error : Outcome::not_passed;
}

AuthMethod auth_method(const IprevResult& iprev, const IpAddress& peer) {
  AuthMethod method{"iprev", std::string(iprev_verdict_text(iprev.verdict))};
  if (!iprev.names.empty()) method.comment = iprev.names.front();
  method.properties.push_back({"policy", "iprev", peer.text()});
  return method;
}

AuthMethod auth_method(const SpfResult& spf) {
  AuthMethod method{"spf", std::string(spf_verdict_text(spf.verdict))};
  if (spf.verdict != SpfVerdict::pass) method.reason = spf.reason;
  method.properties.push_back({"smtp", std::string(spf_identity_text(spf.identity)), spf.domain});
  return method;
}

AuthMethod auth_method(const DkimResult& dkim) {
  AuthMethod method{"dkim", std::string(dkim_verdict_text(dkim.verdict)), dkim.reason};
  if (dkim.key_bits > 0) method.comment = fmt::format("{}-bit key", dkim.key_bits);
  method.properties = {{"header", "d", dkim.domain},
                       {"header", "i", dkim.identity},
                       {"header", "s", dkim.selector},
                       {"header", "a", dkim.algorithm}};
  return method;
}

AuthMethod auth_method(const ArcResult& arc) {
  AuthMethod method{"arc", std::string(arc_status_text(arc.status)), arc.reason};
  if (!arc.hops.empty()) method.comment = fmt::format("i={}", arc.hops.back().instance);
  return method;
}

}  // namespace

std::vector<DmarcIdentifier> dmarc_identifiers(const SpfResult& spf,
                                               const std::vector<DkimResult>& dkim) {
  std::vector<DmarcIdentifier> identifiers;
  identifiers.push_back({DmarcIdentifier::Method::spf, outcome_of(spf.verdict), spf.domain});
  for (const auto& one : dkim)
    identifiers.push_back({DmarcIdentifier::Method::dkim, outcome_of(one.verdict), one.domain});
  return identifiers;
}

std::vector<AuthMethod> auth_methods(const Findings& findings) {
  std::vector<AuthMethod> methods{auth_method(findings.iprev, findings.peer),
                                  auth_method(findings.spf)};
  for (const auto& dkim : findings.dkim) methods.push_back(auth_method(dkim));
  if (findings.dkim.empty()) methods.push_back({"dkim", "none"});
  methods.push_back(auth_method(findings.arc));
  methods.push_back(auth_method(findings.dmarc));
  return methods;
}

bool return_path_is_proved(const Findings& findings, std::string_view return_path_domain) {
  if (findings.spf.verdict == SpfVerdict::pass &&
      findings.spf.identity == SpfIdentity::Kind::mail_from)
    return true;
  return std::ranges::any_of(findings.dkim, [&](const DkimResult& dkim) {
    return dkim.verdict == DkimVerdict::pass && dkim.domain == return_path_domain;
  });
}

}  // namespace tapal::mailauth
