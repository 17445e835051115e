#include "services/intake/incoming_message.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "rules/queue/message_life.h"
#include "services/intake/submission_header.h"
#include "values/mail/encoded_word.h"
#include "values/mail/trace.h"
#include "values/text/ascii.h"

namespace tapal::intake {
namespace {

using smtp::make_reply;

constexpr std::size_t subject_bytes_max = 200;  // queue::Message keeps it for people

std::string author_domain(const mail::HeaderFields& fields) {
  const auto* from = fields.find("From");
  if (from == nullptr) return {};
  const auto mailboxes = mail::parse_mailbox_list(from->body);
  return mailboxes && !mailboxes->empty() ? mailboxes->front().address.domain : std::string();
}

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

queue::Origin origin_of(const Client& client) {
  switch (client.standing) {
    case Client::Standing::user: return {queue::Origin::Kind::submitted, client.user, true};
    case Client::Standing::trusted: return {queue::Origin::Kind::relayed, {}, true};
    case Client::Standing::stranger: break;
  }
  return {queue::Origin::Kind::received, {}, false};
}

}  // namespace

smtp::Reply storage_refusal(const Error& error) {
  return error.code == Code::full
             ? make_reply(452, "4.3.1", "no room for the message now, try again later")
             : make_reply(451, "4.3.0", "the message could not be kept, try again later");
}

IncomingMessage::IncomingMessage(MessageContext context,
                                 std::shared_ptr<const Domains> domains,
                                 Client client)
    : context_(context),
      domains_(std::move(domains)),
      client_(std::move(client)),
      now_(context.clock.wall_now()),
      header_reader_(static_cast<std::size_t>(context.options.limits.header_bytes)),
      body_(context.store.new_body()) {
  id_ = QueueId::make(now_, static_cast<std::uint32_t>(context.random.number()));
}

Refusal IncomingMessage::on_bytes(std::string_view bytes) {
  scanner_.on_bytes(bytes);
  if (in_body_) return append_body(bytes);
  switch (header_reader_.on_bytes(bytes)) {
    case mail::HeaderReader::State::reading: return {};
    case mail::HeaderReader::State::too_long:
      return make_reply(
          552,
          "5.3.4",
          fmt::format("the header is longer than {} bytes", context_.options.limits.header_bytes));
    case mail::HeaderReader::State::complete: break;
  }
  const std::string_view rest = header_reader_.rest();
  if (auto refusal = begin_body()) return refusal;
  return append_body(rest);
}

Refusal IncomingMessage::begin_body() {
  in_body_ = true;
  const auto original = header_reader_.take_header();
  if (is_submission()) {
    const auto random = context_.random.bytes(16);
    const SubmissionFacts facts{now_, random, context_.options.host_name};
    const mail::HeaderLimits limits{
        .bytes_max = static_cast<std::size_t>(context_.options.limits.header_bytes)};
    auto completed = complete_header(*domains_, client_, original, facts, limits);
    if (completed) {
      header_ = std::move(completed->text);
      from_domain_ = completed->from.domain;
      subject_ = completed->subject;
      message_id_ = completed->message_id;
    } else if (client_.standing == Client::Standing::user) {
      return std::move(completed).error();
    }
  }
  if (header_.empty()) {  // somebody else's message: it goes on byte for byte
    header_ = original;
    if (const auto fields = mail::HeaderFields::parse(header_)) {
      subject_ = fields->body_of("Subject");
      message_id_ = fields->body_of("Message-ID");
      from_domain_ = author_domain(*fields);
    }
  }
  auto refusal = append_body("\r\n");  // not part of what DKIM hashes
  signers_ = signers();
  if (signers_ != nullptr) body_hasher_.emplace();
  return refusal;
}

Refusal IncomingMessage::append_body(std::string_view bytes) {
  if (bytes.empty()) return {};
  if (body_hasher_) body_hasher_->update(bytes);
  if (const auto kept = body_->append(bytes); !kept) return storage_refusal(kept.error());
  return {};
}

std::expected<StoreChange::NewMessage, smtp::Reply> IncomingMessage::complete(
    mail::Envelope envelope, const Arrival& arrival) {
  if (!in_body_) {
    header_reader_.at_end();
    if (auto refusal = begin_body()) return std::unexpected(*std::move(refusal));
  }
  const auto facts = scanner_.finish();
  if (facts.received_fields > context_.options.hops_max)
    return std::unexpected(make_reply(
        554,
        "5.4.6",
        fmt::format("the message has passed {} servers: a mail loop (RFC 5321 section 6.3)",
                    facts.received_fields)));
  envelope.body = body_type(facts);
  envelope.smtputf8 = envelope.smtputf8 && (facts.header_has_8bit || has_utf8_address(envelope));
  const auto signatures = sign();
  if (!signatures)
    return std::unexpected(
        make_reply(451, "4.7.0", "the message could not be signed: " + signatures.error().what));
  body_->set_head(*signatures + received(envelope, arrival) + header_);

  StoreChange::NewMessage added{queue::new_message(id_, std::move(envelope), now_),
                                std::move(body_)};
  added.message.origin = origin_of(client_);
  added.message.body_bytes = added.body->size();
  added.message.subject = text::printable(mail::decode_encoded_words(subject_), subject_bytes_max);
  added.message.message_id = text::printable(message_id_, subject_bytes_max);
  return added;
}

const std::vector<mailauth::DkimSigner>* IncomingMessage::signers() const {
  if (!is_submission()) return nullptr;
  if (const auto* author = signers_of(*domains_, from_domain_)) return author;
  return signers_of(*domains_, std::string_view(client_.user).substr(client_.user.rfind('@') + 1));
}

Result<std::string> IncomingMessage::sign() {
  std::string fields;
  if (signers_ == nullptr || !body_hasher_) return fields;
  const auto hash = body_hasher_->finish();
  const mailauth::DkimSignTimes times{now_, now_ + context_.options.dkim_lifetime};
  for (const auto& signer : *signers_) {
    TAPAL_TRY(const auto field, mailauth::dkim_sign(signer, header_, hash, times));
    fields += field;
  }
  return fields;
}

std::string IncomingMessage::received(const mail::Envelope& envelope,
                                      const Arrival& arrival) const {
  mail::Received received{.by = context_.options.host_name,
                          .protocol = arrival.protocol,
                          .tls = arrival.tls,
                          .id = id_.text(),
                          .time = now_};
  if (client_.standing != Client::Standing::user)
    received.peer = mail::Received::Peer{arrival.helo, arrival.peer, {}};
  if (envelope.recipients.size() == 1) received.recipient = envelope.recipients.front().address;
  return mail::received_field(received);
}

}  // namespace tapal::intake
