#include "services/intake/inspection.h"

#include <utility>

#include <fmt/format.h>

#include "values/text/ascii.h"

namespace tapal::intake {
namespace {

using account::DmarcPractice;
using mailauth::DmarcPolicy;
using mailauth::DmarcVerdict;
using smtp::make_reply;

std::string dkim_text(const std::vector<mailauth::DkimResult>& results) {
  std::string text;
  for (const auto& result : results)
    text += fmt::format("{}{} {}",
                        text.empty() ? "" : ", ",
                        mailauth::dkim_verdict_text(result.verdict),
                        result.domain);
  return text.empty() ? "none" : text;
}

// The results in one line: what reports about senders are made of later.
void tell(Log& log, QueueId id, const VerificationSubject& subject, const Inspected& inspected) {
  const auto& found = inspected.findings;
  log.write(Level::info,
            "message checked",
            {{"queue_id", id.text()},
             {"peer", subject.peer.text()},
             {"spf", std::string(mailauth::spf_verdict_text(found.spf.verdict))},
             {"spf_domain", found.spf.domain},
             {"dkim", dkim_text(found.dkim)},
             {"arc", std::string(mailauth::arc_status_text(found.arc.status))},
             {"dmarc", std::string(mailauth::dmarc_verdict_text(found.dmarc.verdict))},
             {"author_domain", found.dmarc.author_domain},
             {"policy", std::string(mailauth::dmarc_policy_text(found.dmarc.policy))},
             {"aside", inspected.why_aside}});
}

}  // namespace

DmarcDecision decide(const mailauth::DmarcResult& dmarc, DmarcPractice practice) {
  if (practice == DmarcPractice::ignore) return {};
  if (dmarc.verdict == DmarcVerdict::temperror && dmarc.policy == DmarcPolicy::reject)
    return {make_reply(451,
                       "4.7.1",
                       fmt::format("DNS cannot tell now whether {} sent this, try again later",
                                   dmarc.author_domain)),
            {}};
  if (dmarc.verdict != DmarcVerdict::fail || dmarc.disposition == DmarcPolicy::none) return {};
  const auto why = fmt::format("neither SPF nor DKIM speaks for {}", dmarc.author_domain);
  if (dmarc.disposition == DmarcPolicy::quarantine || practice == DmarcPractice::quarantine)
    return {{}, why};
  return {make_reply(550,
                     "5.7.1",
                     fmt::format("{}, whose DMARC policy asks to refuse such mail (RFC 9989); if "
                                 "you are its postmaster, sign with DKIM",
                                 why)),
          {}};
}

Task<std::expected<Inspected, smtp::Reply>> Inspection::finish(InspectionWorld world,
                                                               InspectionInput input) {
  const VerificationWorld asking{world.loop, world.resolver, world.suffixes};
  Inspected inspected;
  inspected.findings = co_await verification_.finish(asking, input.until);
  auto decision = decide(inspected.findings.dmarc, input.practice);
  inspected.why_aside = std::move(decision.why_aside);
  const auto id = input.id;
  if (!decision.refusal && !world.judges.empty()) {
    inspected.verdict = co_await judge(world, std::move(input), inspected);
    if (inspected.verdict.action == judge::Action::keep_aside)
      inspected.why_aside = inspected.verdict.by + ": " + inspected.verdict.reason;
    if (inspected.verdict.action >= judge::Action::defer)
      decision.refusal = inspected.verdict.reply;
  }
  tell(world.log, id, subject_, inspected);
  if (decision.refusal) co_return std::unexpected(*std::move(decision.refusal));
  co_return inspected;
}

Task<judge::Verdict> Inspection::judge(InspectionWorld world,
                                       InspectionInput input,
                                       const Inspected& so_far) {
  const auto& found = so_far.findings;
  judge::Mail mail{.id = input.id,
                   .peer = subject_.peer,
                   .peer_port = input.peer_port,
                   .helo = subject_.helo,
                   .return_path = subject_.return_path,
                   .recipients = std::move(input.recipients),
                   .tls_version = std::move(input.tls_version),
                   .tls_cipher = std::move(input.tls_cipher),
                   .header = std::move(input.header),
                   .body = std::move(input.body)};
  if (!found.iprev.names.empty()) mail.peer_name = found.iprev.names.front();
  if (found.spf.verdict == mailauth::SpfVerdict::pass) mail.spf_domain = found.spf.domain;
  co_return co_await world.judges.look_at(std::move(mail));
}

}  // namespace tapal::intake
