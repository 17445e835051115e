#include "app/mail/mail_client.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "drivers/net/tls.h"
#include "drivers/system/clock.h"
#include "drivers/system/random.h"
#include "ports/memory_body.h"
#include "services/delivery/connection.h"
#include "values/mail/encoded_word.h"
#include "values/mail/header.h"
#include "values/mail/message_id.h"
#include "values/mail/mime.h"
#include "values/text/date.h"
#include "values/text/hex.h"

namespace tapal::app {

namespace client = smtp::client;

namespace {

constexpr std::chrono::seconds connect_patience{20};

delivery::Terms terms_of(const Submission& submission) {
  delivery::Terms terms;
  terms.session.hello_name = "[127.0.0.1]";
  terms.session.tls = submission.tls == delivery::TlsMode::implicit ? smtp::ClientTls::implicit
                                                                    : smtp::ClientTls::required;
  terms.session.auth =
      submission.user.empty() ? smtp::ClientAuth::never : smtp::ClientAuth::required;
  if (!IpAddress::from_text(submission.host)) terms.tls.server_name = submission.host;
  terms.tls.verification_required = submission.certificate == Submission::Certificate::must_hold;
  terms.user = submission.user;
  terms.password = submission.password;
  terms.kind = submission.password_kind;
  return terms;
}

Error error_of(const delivery::Connection::Progress& progress) {
  if (!progress.failed) return {Code::closed, "the server ended the session"};
  const auto& failed = *progress.failed;
  return {Code::denied,
          failed.reply ? failed.what + ": " + smtp::one_line(*failed.reply) : failed.what};
}

client::Transaction transaction_of(const Submission& submission) {
  client::Transaction transaction;
  transaction.envelope.return_path = submission.from;
  for (const auto& to : submission.to) {
    transaction.envelope.recipients.push_back({.address = to});
    transaction.envelope.smtputf8 |= !to.is_ascii();
  }
  transaction.body_bytes = submission.message.size();
  return transaction;
}

}  // namespace

Task<Result<Submitted>> submit(NetLoop& loop, Submission submission) {
  ClientTlsOptions trust;
  trust.trusted_ca_file = submission.trusted_ca_file;
  TAPAL_CO_TRY(const auto context, ClientContext::make(trust));
  const auto deadline = loop.now() + connect_patience;
  TAPAL_CO_TRY(auto stream, co_await loop.connect(submission.server, std::nullopt, deadline));
  auto shown = std::make_unique<TranscriptStream>(std::move(stream), submission.show);
  SystemRandom random;
  delivery::Host host{submission.host, submission.server};
  delivery::Connection connection(
      loop, std::move(host), std::move(shown), terms_of(submission), *context, random);
  const auto opened = co_await connection.open();
  if (!opened.ready) co_return std::unexpected(error_of(opened));

  auto body = std::make_shared<const MemoryBody>(submission.message);
  auto transaction = transaction_of(submission);
  const auto sent = co_await connection.send(std::move(transaction), std::move(body));
  if (!sent.done) co_return std::unexpected(error_of(sent));
  Submitted submitted{.tls = connection.tls_text()};
  for (const auto& recipient : sent.done->recipients) {
    if (recipient.outcome != client::Outcome::accepted)
      co_return fail(Code::denied,
                     recipient.reply.code != 0 ? smtp::one_line(recipient.reply) : recipient.what);
    submitted.reply = smtp::one_line(recipient.reply);
  }
  if (connection.is_open()) co_await connection.quit();
  co_return submitted;
}

std::string compose_message(const NewMessage& message) {
  const auto now = SystemClock().wall_now();
  std::string text =
      mail::field("From", message.from.text()) + mail::field("To", message.to.text()) +
      mail::field("Subject", mail::encode_unstructured(message.subject)) +
      mail::field("Date", text::rfc5322_date(now)) +
      mail::field("Message-ID",
                  mail::make_message_id(SystemRandom().bytes(16), message.from.domain)) +
      mail::field("MIME-Version", "1.0");
  const auto first = mail::text_part(message.text);
  if (message.file_name.empty()) return text + first.fields + "\r\n" + first.body;
  const auto boundary = text::to_hex(SystemRandom().bytes(16));
  const std::array parts{
      first, mail::attachment_part({.file_name = message.file_name, .bytes = message.file_bytes})};
  text +=
      mail::field("Content-Type", "multipart/mixed" + mail::parameter_text("boundary", boundary));
  return text + "\r\n" + mail::multipart_body(parts, boundary);
}

}  // namespace tapal::app
