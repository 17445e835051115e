// The end of a message: inspected, planned, and made into what the spool keeps.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "ports/mailbox.h"
#include "rules/forward/passed_on.h"
#include "rules/queue/message_life.h"
#include "services/intake/branch_head.h"
#include "services/intake/incoming_message.h"
#include "services/intake/priority.h"
#include "values/mail/encoded_word.h"
#include "values/mail/trace.h"
#include "values/text/ascii.h"

namespace tapal::intake {
namespace {

using smtp::make_reply;

constexpr std::size_t subject_bytes_max = 200;  // queue::Message keeps it for people

// What the envelope says of the content is what the content is: a client that declares nothing may
// still have sent 8-bit text.
mail::BodyType body_type(const mail::ContentFacts& facts) {
  if (facts.has_nul || facts.has_bare_cr || facts.has_bare_lf || facts.longest_line > 998)
    return mail::BodyType::binary_mime;
  return facts.body_has_8bit || facts.header_has_8bit ? mail::BodyType::eight_bit_mime
                                                      : mail::BodyType::seven_bit;
}

// Clients ask for SMTPUTF8 (RFC 6531) to be on the safe side; a message that does not need it must
// not bounce where it is not offered.
bool has_utf8_address(const mail::Envelope& envelope) {
  const auto is_utf8 = [](const mail::Recipient& recipient) {
    return !recipient.address.is_ascii();
  };
  return (envelope.return_path && !envelope.return_path->is_ascii()) ||
         std::ranges::any_of(envelope.recipients, is_utf8);
}

}  // namespace

struct IncomingMessage::Facts {
  std::optional<Inspected> inspected;
  forward::Plan plan;  // of what aliases pass on
  std::optional<crypto::Digest> body_hash;
  std::string signatures;  // of what our users send
  std::string results;     // the Authentication-Results field, or empty

  const mailauth::Findings* findings() const { return inspected ? &inspected->findings : nullptr; }
  bool is_aside() const { return inspected && !inspected->why_aside.empty(); }
};

Task<IncomingMessage::Completed> IncomingMessage::complete(mail::Envelope envelope,
                                                           Arrival arrival) {
  if (!in_body_) {
    header_reader_.at_end();
    if (auto refusal = begin_body()) co_return std::unexpected(*std::move(refusal));
  }
  const auto content = scanner_.finish();
  if (auto refusal = check_loops(content)) co_return std::unexpected(*std::move(refusal));
  envelope.body = body_type(content);
  envelope.smtputf8 = envelope.smtputf8 && content.header_has_8bit;

  Facts facts;
  if (body_hasher_) facts.body_hash = body_hasher_->finish();
  if (inspection_) {
    auto inspected = co_await inspection_->finish(*context_.inspection, inspection_input(arrival));
    if (!inspected) co_return std::unexpected(std::move(inspected).error());
    auto& verdict = facts.inspected.emplace(*std::move(inspected)).verdict;
    if (verdict.action == judge::Action::discard) co_return Completed();
    if (const auto taken = take_in(verdict, envelope, facts.body_hash); !taken)
      co_return std::unexpected(storage_refusal(taken.error()));
    if (branches_.empty()) co_return Completed();
  }
  if (auto refusal = plan(facts)) co_return std::unexpected(*std::move(refusal));
  if (signers_ != nullptr && facts.body_hash) {
    auto signatures = sign(*facts.body_hash);
    if (!signatures)
      co_return std::unexpected(
          make_reply(451, "4.7.0", "the message could not be signed: " + signatures.error().what));
    facts.signatures = *std::move(signatures);
  }
  one_forward_ = branches_.size() == 1 && passes_on() && branches_.front().recipients.size() == 1 &&
                 !facts.is_aside();
  StoreChange change;
  for (auto& branch : branches_)
    if (const auto done = finish(branch, envelope, arrival, facts, change); !done)
      co_return std::unexpected(
          make_reply(451, "4.3.0", "the message could not be passed on: " + done.error().what));
  co_return change;
}

Refusal IncomingMessage::check_loops(const mail::ContentFacts& content) const {
  if (content.received_fields > context_.options.hops_max)
    return make_reply(
        554,
        "5.4.6",
        fmt::format("the message has passed {} servers: a mail loop (RFC 5321 section 6.3)",
                    content.received_fields));
  for (const auto& branch : branches_)
    if (branch.alias && mail::was_delivered_to(header_, *branch.alias))
      return make_reply(
          554,
          "5.4.6",
          fmt::format("{} has passed this message on before: a mail loop", branch.alias->text()));
  return {};
}

InspectionInput IncomingMessage::inspection_input(const Arrival& arrival) {
  const auto space = arrival.tls.find(' ');
  InspectionInput input{
      .id = id(),
      .peer_port = sender_.peer.port,
      .recipients = {},
      .tls_version = arrival.tls.substr(0, space),
      .tls_cipher = space == std::string::npos ? std::string() : arrival.tls.substr(space + 1),
      .header = header_,
      .body = body_of(branches_.front()),
      .practice = account::DmarcPractice::ignore,
      .until = context_.clock.now() + context_.options.check_time_max};
  for (const auto& branch : branches_)
    for (const auto& recipient : branch.recipients) {
      input.recipients.push_back(recipient.address);
      const auto& own = branch.alias ? *branch.alias : recipient.address;
      if (const auto* settings = domains_->directory.settings(own.domain))
        input.practice = std::min(input.practice, settings->dmarc);
    }
  return input;
}

// What becomes of mail that aliases pass on. Where others get the message too, it cannot be refused
// any more: they would not get it either.
Refusal IncomingMessage::plan(Facts& facts) const {
  if (const auto* findings = facts.findings()) {
    const mailauth::AuthenticationResults results{context_.options.host_name,
                                                  mailauth::auth_methods(*findings)};
    facts.results = mailauth::authentication_results_field(results);
    facts.plan = forward::plan_forward(*findings, context_.options.remedies);
  }
  if (facts.plan.way != forward::Remedy::refuse || !passes_on()) return {};
  const auto& alias = branches_.front().alias;
  if (!alias) {
    facts.plan.way = forward::Remedy::wrap;
    return {};
  }
  return make_reply(550,
                    "5.7.1",
                    fmt::format("{} is passed on to another server, which would refuse this "
                                "message: {}",
                                alias->text(),
                                facts.plan.reason));
}

Result<void> IncomingMessage::finish(Branch& branch,
                                     mail::Envelope envelope,
                                     const Arrival& arrival,
                                     const Facts& facts,
                                     StoreChange& change) {
  TAPAL_TRY(auto text, head(branch, arrival, facts));
  branch.body->set_head(std::move(text));
  const auto came_from = envelope.return_path;
  if (branch.alias) {
    auto ours = passed_on_path(*domains_, came_from, *branch.alias, branch.id, now_);
    if (ours.is_kept && came_from)
      context_.return_paths.keep(branch.id, *came_from, now_, change.return_paths);
    envelope.return_path = std::move(ours.path);
  }
  envelope.recipients = std::move(branch.recipients);
  if (!branch.alias && facts.is_aside()) put_aside(envelope.recipients);
  envelope.smtputf8 = envelope.smtputf8 || has_utf8_address(envelope);

  StoreChange::NewMessage added{queue::new_message(branch.id, std::move(envelope), now_),
                                std::move(branch.body)};
  auto& message = added.message;
  switch (sender_.client.standing) {
    case Client::Standing::user:
    case Client::Standing::local:
      message.origin = {queue::Origin::Kind::submitted, sender_.client.user, true};
      break;
    case Client::Standing::trusted:
      message.origin = {queue::Origin::Kind::relayed, {}, true};
      break;
    case Client::Standing::stranger:
      message.origin = {
          branch.alias ? queue::Origin::Kind::forwarded : queue::Origin::Kind::received, {}, false};
      if (const auto* findings = facts.findings(); findings != nullptr && came_from)
        message.origin.authenticated =
            mailauth::return_path_is_proved(*findings, came_from->domain);
  }
  message.body_bytes = added.body->size();
  if (sender_.client.standing != Client::Standing::stranger)
    message.priority = priority_of(
        {.header = header_,
         .recipients = message.recipients.size(),
         .bytes = message.body_bytes,
         .is_bulk_user = std::ranges::find(context_.options.bulk_users, sender_.client.user) !=
                         context_.options.bulk_users.end()});
  message.subject = text::printable(mail::decode_encoded_words(subject_), subject_bytes_max);
  message.message_id = text::printable(message_id_, subject_bytes_max);
  if (branch.alias && facts.is_aside()) queue::hold(message);
  change.added.push_back(std::move(added));
  return {};
}

// Our users find it in a folder of its own.
void IncomingMessage::put_aside(std::vector<mail::Recipient>& recipients) const {
  if (!context_.options.uses_junk_folder) return;
  for (auto& recipient : recipients)
    if (recipient.handover == mail::Handover{} &&
        domains_->directory.has_mailboxes(recipient.address.domain))
      recipient.handover.target = junk_folder;
}

Result<std::string> IncomingMessage::head(const Branch& branch,
                                          const Arrival& arrival,
                                          const Facts& facts) const {
  auto above = received(branch, arrival, facts) + facts.results;
  if (facts.is_aside()) above += "X-Spam-Flag: YES\r\n";
  if (!branch.alias) return facts.signatures + above + header_;
  const HeadInput input{.alias = *branch.alias,
                        .domains = *domains_,
                        .options = context_.options,
                        .now = now_,
                        .header = header_,
                        .trace_fields = above,
                        .findings = facts.findings(),
                        .body_hash = facts.body_hash};
  return branch_head(branch, facts.plan.way, input);
}

Result<std::string> IncomingMessage::sign(const crypto::Digest& body_hash) const {
  std::string fields;
  const mailauth::DkimSignTimes times{now_, now_ + context_.options.dkim_lifetime};
  for (const auto& signer : *signers_) {
    TAPAL_TRY(const auto field, mailauth::dkim_sign(signer, header_, body_hash, times));
    fields += field;
  }
  return fields;
}

std::string IncomingMessage::received(const Branch& branch,
                                      const Arrival& arrival,
                                      const Facts& facts) const {
  mail::Received received{.by = context_.options.host_name,
                          .protocol = arrival.protocol,
                          .tls = arrival.tls,
                          .id = branch.id.text(),
                          .time = now_};
  if (!arrival.protocol.empty() && sender_.client.standing != Client::Standing::user) {
    received.peer = mail::Received::Peer{sender_.helo, sender_.peer.address, {}};
    if (const auto* findings = facts.findings(); findings && !findings->iprev.names.empty())
      received.peer->name = findings->iprev.names.front();
  }
  if (branches_.size() == 1 && branch.recipients.size() == 1)
    received.recipient = branch.alias ? *branch.alias : branch.recipients.front().address;
  return mail::received_field(received);
}

}  // namespace tapal::intake
