#include "services/intake/submission_header.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "values/mail/message_id.h"
#include "values/text/ascii.h"
#include "values/text/date.h"

namespace tapal::intake {
namespace {

using smtp::make_reply;
using Unexpected = std::unexpected<smtp::Reply>;

// RFC 5322 section 3.6: at most one of each. A second one is how a reader is shown another author
// or subject than the one that was checked and signed.
constexpr std::string_view alone[] = {"From",
                                      "Sender",
                                      "Reply-To",
                                      "To",
                                      "Cc",
                                      "Date",
                                      "Message-ID",
                                      "References",
                                      "Subject",
                                      "In-Reply-To",
                                      "MIME-Version",
                                      "Content-Type"};

// Bcc tells the hidden recipients; Return-Path is for the last server to write (RFC 5321
// section 4.4).
constexpr std::string_view taken_out[] = {"Bcc", "Resent-Bcc", "Return-Path"};

Refusal check_counts(const mail::HeaderFields& fields) {
  for (const auto name : alone)
    if (const auto count = fields.count(name); count > 1)
      return make_reply(
          550,
          "5.6.0",
          fmt::format("the header has {} {} fields; RFC 5322 section 3.6 allows one", count, name));
  if (fields.find("From") == nullptr)
    return make_reply(550, "5.6.0", "the header has no From field (RFC 5322 section 3.6)");
  return {};
}

using Authors = std::expected<std::vector<mail::Mailbox>, smtp::Reply>;

Authors read_allowed(const Domains& domains, const Client& client, const mail::HeaderField& field) {
  auto mailboxes = mail::parse_mailbox_list(field.body);
  if (!mailboxes || mailboxes->empty())
    return Unexpected(
        make_reply(550,
                   "5.6.0",
                   fmt::format("the {} field on line {} holds no address that can be read{}{}",
                               field.name,
                               field.line,
                               mailboxes ? "" : ": ",
                               mailboxes ? "" : mailboxes.error().what)));
  for (const auto& mailbox : *mailboxes)
    if (auto refusal = check_header_address(domains, client, mailbox.address, field.name))
      return Unexpected(*std::move(refusal));
  return *std::move(mailboxes);
}

bool is_taken_out(const mail::HeaderField& field) {
  return std::ranges::any_of(taken_out, [&field](auto name) { return field.is(name); });
}

std::string id_domain(const mail::Address& from, std::string_view host_name) {
  return from.has_literal() ? std::string(host_name) : from.domain;
}

}  // namespace

std::expected<SubmissionHeader, smtp::Reply> complete_header(const Domains& domains,
                                                             const Client& client,
                                                             std::string_view block,
                                                             const SubmissionFacts& facts,
                                                             const mail::HeaderLimits& limits) {
  const auto fields = mail::HeaderFields::parse(block, limits);
  if (!fields)
    return Unexpected(
        make_reply(550, "5.6.0", "the header cannot be read: " + fields.error().what));
  if (auto refusal = check_counts(*fields)) return Unexpected(*std::move(refusal));
  auto authors = read_allowed(domains, client, *fields->find("From"));
  if (!authors) return Unexpected(std::move(authors).error());
  if (const auto* sender = fields->find("Sender"))
    if (auto allowed = read_allowed(domains, client, *sender); !allowed)
      return Unexpected(std::move(allowed).error());

  SubmissionHeader header{.from = authors->front().address,
                          .message_id = fields->body_of("Message-ID"),
                          .subject = fields->body_of("Subject")};
  header.text.reserve(block.size() + 128);
  for (const auto& field : *fields)
    if (!is_taken_out(field)) header.text += field.raw;
  if (fields->find("Date") == nullptr)
    header.text += mail::field("Date", text::rfc5322_date(facts.now));
  if (header.message_id.empty()) {
    header.message_id =
        mail::make_message_id(facts.random_bytes, id_domain(header.from, facts.host_name));
    header.text += mail::field("Message-ID", header.message_id);
  }
  return header;
}

}  // namespace tapal::intake
