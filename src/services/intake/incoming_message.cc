// The message while it comes in; its end is in incoming_message_end.cc.
#include "services/intake/incoming_message.h"

#include <utility>

#include <fmt/format.h>

#include "protocols/mailauth/authentication_results.h"
#include "protocols/mailauth/header_block.h"
#include "services/intake/submission_header.h"
#include "values/text/ascii.h"

namespace tapal::intake {
namespace {

using smtp::make_reply;

std::string author_domain(const mail::HeaderFields& fields) {
  const auto* from = fields.find("From");
  if (from == nullptr) return {};
  const auto mailboxes = mail::parse_mailbox_list(from->body);
  return mailboxes && !mailboxes->empty() ? mailboxes->front().address.domain : std::string();
}

// Without results that claim to be ours (RFC 8601 section 5): readers believe those.
std::string without_forged_results(std::string_view header, std::string_view host_name) {
  std::string kept;
  kept.reserve(header.size());
  for (const auto& field : mailauth::split_header_block(header)) {
    constexpr std::string_view name = "Authentication-Results";
    if (text::equals_ignoring_case(field.name, name) &&
        mailauth::is_ours(field.raw.substr(field.raw.find(':') + 1), host_name))
      continue;
    kept.append(field.raw).append("\r\n");
  }
  return kept;
}

}  // namespace

smtp::Reply storage_refusal(const Error& error) {
  return error.code == Code::full
             ? make_reply(452, "4.3.1", "no room for the message now, try again later")
             : make_reply(451, "4.3.0", "the message could not be kept, try again later");
}

IncomingMessage::IncomingMessage(MessageContext context,
                                 std::shared_ptr<const Domains> domains,
                                 Sender sender,
                                 std::vector<Placed> recipients)
    : context_(context),
      domains_(std::move(domains)),
      sender_(std::move(sender)),
      now_(context.clock.wall_now()),
      branches_(branches_of(std::move(recipients))),
      header_reader_(static_cast<std::size_t>(context.options.limits.header_bytes)) {
  for (auto& branch : branches_) {
    branch.id = context.store.new_id(now_);
    branch.body = context.store.new_body();
  }
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
    auto completed = complete_header(*domains_, sender_.client, original, facts, limits);
    if (completed) {
      header_ = std::move(completed->text);
      from_domain_ = completed->from.domain;
      subject_ = completed->subject;
      message_id_ = completed->message_id;
    } else if (sender_.client.standing != Client::Standing::trusted) {
      return std::move(completed).error();
    }
  } else {
    VerificationSubject subject{
        sender_.peer.address, sender_.helo, sender_.return_path, context_.options.host_name, now_};
    if (context_.inspection != nullptr) inspection_.emplace(std::move(subject), original);
  }
  if (header_.empty()) {  // somebody else's message: it goes on byte for byte
    header_ =
        is_submission() ? original : without_forged_results(original, context_.options.host_name);
    if (const auto fields = mail::HeaderFields::parse(header_)) {
      subject_ = fields->body_of("Subject");
      message_id_ = fields->body_of("Message-ID");
      from_domain_ = author_domain(*fields);
    }
  }
  for (auto& branch : branches_)  // the blank line is not part of what is hashed
    if (const auto kept = branch.body->append("\r\n"); !kept) return storage_refusal(kept.error());
  signers_ = signers();
  if (signers_ != nullptr || passes_on()) body_hasher_.emplace();
  return {};
}

Refusal IncomingMessage::append_body(std::string_view bytes) {
  if (bytes.empty()) return {};
  if (body_hasher_) body_hasher_->update(bytes);
  if (inspection_) inspection_->on_body(bytes);
  for (auto& branch : branches_)
    if (const auto kept = branch.body->append(bytes); !kept) return storage_refusal(kept.error());
  return {};
}

bool IncomingMessage::passes_on() const {
  return !branches_.empty() && branches_.back().alias.has_value();
}

const std::vector<mailauth::DkimSigner>* IncomingMessage::signers() const {
  if (!is_submission()) return nullptr;
  if (const auto* author = signers_of(*domains_, from_domain_)) return author;
  const std::string_view user = sender_.client.user;
  return signers_of(*domains_, user.substr(user.rfind('@') + 1));
}

}  // namespace tapal::intake
