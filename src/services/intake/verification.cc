#include "services/intake/verification.h"

#include <utility>

#include "ports/look_up.h"
#include "protocols/mailauth/dmarc_check.h"
#include "protocols/mailauth/signed_message.h"

namespace tapal::intake {
namespace {

std::string return_path_text(const std::optional<mail::Address>& path) {
  return path ? path->text() : std::string();
}

mailauth::SpfQuestion spf_question(const VerificationSubject& subject) {
  return {.ip = subject.peer,
          .identity = mailauth::SpfIdentity::of_mail_from(return_path_text(subject.return_path),
                                                          subject.helo),
          .helo = subject.helo,
          .host_name = subject.host_name,
          .now = subject.now};
}

}  // namespace

struct Verification::State {
  State(VerificationSubject given, std::string_view header)
      : subject(std::move(given)),
        message(header),
        author(mailauth::author_domains(header)),
        spf(spf_question(subject)),
        name(subject.peer) {}

  VerificationSubject subject;
  mailauth::SignedMessage message;
  mailauth::DkimVerifier dkim{message};
  mailauth::ArcVerifier arc{message};
  mailauth::AuthorDomains author;
  mailauth::SpfCheck spf;
  mailauth::ReverseNameCheck name;
};

Verification::Verification(VerificationSubject subject, std::string_view header_block)
    : state_(std::make_unique<State>(std::move(subject), header_block)) {}
Verification::~Verification() = default;

void Verification::on_body(std::string_view chunk) { state_->message.on_body(chunk); }

Task<mailauth::Findings> Verification::finish(VerificationWorld world, Instant until) {
  auto& state = *state_;
  TaskGroup lookups;
  lookups.spawn(answer_lookups(world.resolver, world.loop, state.message, until));
  lookups.spawn(answer_lookups(world.resolver, world.loop, state.spf, until));
  lookups.spawn(answer_lookups(world.resolver, world.loop, state.name, until));
  co_await lookups.join();

  const auto now = state.subject.now;
  mailauth::Findings findings{.peer = state.subject.peer,
                              .iprev = state.name.result(),
                              .spf = state.spf.result(),
                              .dkim = state.dkim.results(now),
                              .arc = state.arc.result(now)};
  mailauth::DmarcQuestion question{state.author,
                                   mailauth::dmarc_identifiers(findings.spf, findings.dkim)};
  mailauth::DmarcCheck dmarc(std::move(question), world.suffixes);
  co_await answer_lookups(world.resolver, world.loop, dmarc, until);
  findings.dmarc = dmarc.result();
  co_return findings;
}

}  // namespace tapal::intake
