#include "app/up/delivery_proof.h"

#include <algorithm>

#include <fmt/format.h>

#include "app/cli/dns_option.h"
#include "app/cli/host_questions.h"
#include "app/config/domains.h"
#include "app/mail/app_passwords.h"
#include "app/mail/mail_client.h"
#include "app/mail/message_trail.h"
#include "app/settings/settings.h"
#include "drivers/files/config_folder.h"
#include "drivers/system/clock.h"
#include "protocols/mailauth/dkim_sign.h"
#include "values/crypto/hash.h"

namespace tapal::app {
namespace {

constexpr std::string_view password_name = "tapal-up";
constexpr std::chrono::hours signature_life{24};
constexpr std::uint16_t smtp_port = 25;
constexpr std::uint16_t submissions_port = 465;

std::string text_for(const ProofOptions& options) {
  return fmt::format(
      "This message was sent by tapal on {} to prove that mail from {} arrives.\r\n"
      "\r\n"
      "To see what your mailbox found: open the message's source (in Gmail \"Show original\"),\r\n"
      "copy it, and put it into: tapal doctor --paste\r\n",
      options.hostname,
      options.user.domain);
}

Proof proof_of(const std::vector<api::SeenEvent>& events,
               const Submitted& submitted,
               std::string queue_id) {
  Proof proof{.queue_id = std::move(queue_id), .submitted_tls = submitted.tls};
  proof.reply = submitted.reply;
  for (const auto& seen : events) {
    if (seen.event == "message checked") {
      proof.spf = seen.field("spf");
      proof.dkim = seen.field("dkim");
      proof.dmarc = seen.field("dmarc");
    } else if (!seen.field("relay").empty() || !seen.field("reply").empty()) {
      proof.relay = seen.field("relay");
      proof.relayed_tls = seen.field("tls");
      proof.reply = seen.field("reply");
      proof.is_delivered = seen.event == "message delivered";
    }
  }
  return proof;
}

struct Talk {
  std::filesystem::path control_socket;
  std::chrono::seconds patience;
};

Task<Result<Proof>> hand_over_and_follow(NetLoop& loop, Talk talk, Submission submission) {
  TAPAL_CO_TRY(auto trail, co_await MessageTrail::begin(loop, std::move(talk.control_socket)));
  TAPAL_CO_TRY(const auto submitted, co_await submit(loop, std::move(submission)));
  auto id = queue_id_of(submitted.reply);
  TAPAL_CO_TRY(const auto events, co_await trail.to_its_end(id, talk.patience));
  co_return proof_of(events, submitted, std::move(id));
}

Task<Result<Proof>> send_as_user(NetLoop& loop,
                                 Resolver& resolver,
                                 Talk talk,
                                 Submission submission) {
  TAPAL_CO_TRY(const auto addresses, co_await host_addresses(loop, resolver, submission.host));
  submission.server = {addresses.front(), submissions_port};
  co_return co_await hand_over_and_follow(loop, std::move(talk), std::move(submission));
}

Task<Result<Proof>> send_as_stranger(NetLoop& loop,
                                     Resolver& resolver,
                                     Talk talk,
                                     Submission submission) {
  TAPAL_CO_TRY(submission.host,
               co_await best_exchange(loop, resolver, submission.to.front().domain));
  TAPAL_CO_TRY(const auto addresses, co_await host_addresses(loop, resolver, submission.host));
  submission.server = {addresses.front(), smtp_port};
  submission.tls = delivery::TlsMode::required;
  co_return co_await hand_over_and_follow(loop, std::move(talk), std::move(submission));
}

template <class Send>
Result<Proof> run(const CommonOptions& common,
                  const ProofOptions& options,
                  Submission submission,
                  Send send) {
  TAPAL_TRY(const auto settings, load_settings(common.config));
  TAPAL_TRY(auto asking, resolver_options(common, options.dns_server));
  TAPAL_TRY(const auto resolver, UnboundResolver::open(std::move(asking)));
  submission.trusted_ca_file = settings.tls.trusted_ca_file;
  submission.show = [](const std::string&) {};
  const Talk talk{settings.control_socket(), options.patience};
  return run_once<Result<Proof>>(
      [&](NetLoop& loop) { return send(loop, *resolver, talk, submission); });
}

Result<std::string> signed_by(const CommonOptions& common,
                              const std::string& domain,
                              const std::string& message) {
  TAPAL_TRY(const auto domains, make_domains(files::load_config_folder({common.config, {}})));
  const auto* signers = intake::signers_of(*domains, domain);
  if (signers == nullptr) return fail(Code::not_found, domain + " has no DKIM key");
  const auto now = SystemClock().wall_now();
  TAPAL_TRY(const auto fields,
            mailauth::dkim_sign_message(*signers, message, {now, now + signature_life}));
  return fields + message;
}

}  // namespace

Result<Proof> prove_sending(const CommonOptions& common, const ProofOptions& options) {
  const AppPasswordPlace place{options.user, std::string(password_name)};
  static_cast<void>(remove_app_password(common, place));  // of a run that was interrupted
  TAPAL_TRY(auto password, add_app_password(common, place));
  const NewMessage message{.from = options.user,
                           .to = options.outside,
                           .subject = fmt::format("Mail from {} works", options.user.domain),
                           .text = text_for(options)};
  Submission submission{.host = options.hostname,
                        .user = options.user.text(),
                        .password = password,
                        .password_kind = delivery::Terms::Password::of_application,
                        .from = options.user,
                        .to = {options.outside},
                        .message = compose_message(message)};
  auto proof = run(common, options, std::move(submission), &send_as_user);
  crypto::wipe(password);
  TAPAL_CHECK(remove_app_password(common, place));
  return proof;
}

Result<Proof> prove_receiving(const CommonOptions& common, const ProofOptions& options) {
  const NewMessage message{.from = options.user,
                           .to = options.inside,
                           .subject = fmt::format("Mail to {} arrives", options.inside.domain),
                           .text = text_for(options)};
  TAPAL_TRY(auto text, signed_by(common, options.user.domain, compose_message(message)));
  Submission submission{.from = options.user, .to = {options.inside}, .message = std::move(text)};
  return run(common, options, std::move(submission), &send_as_stranger);
}

}  // namespace tapal::app
