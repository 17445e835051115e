// A message on its way in: its header is collected and completed, its body streams into the spool,
// and at its end it is signed. Belongs to one transaction of one session.
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/ip_address.h"
#include "ports/clock.h"
#include "ports/random.h"
#include "ports/store.h"
#include "protocols/mailauth/dkim_sign.h"
#include "protocols/smtp/reply.h"
#include "services/intake/admission.h"
#include "services/intake/domains.h"
#include "services/intake/options.h"
#include "values/mail/content.h"
#include "values/mail/header.h"

namespace tapal::intake {

// How the message came in, as its Received field tells it.
struct Arrival {
  IpAddress peer;
  std::string helo;
  std::string protocol;  // "ESMTPSA"
  std::string tls;       // "TLSv1.3 TLS_AES_256_GCM_SHA384", or empty
};

// What outlives every message; references must, too.
struct MessageContext {
  const Options& options;
  Clock& clock;
  Random& random;
  Store& store;
};

// What the client is told when the spool could not take a message.
smtp::Reply storage_refusal(const Error& error);

class IncomingMessage {
 public:
  IncomingMessage(MessageContext context, std::shared_ptr<const Domains> domains, Client client);

  QueueId id() const { return id_; }
  std::size_t header_bytes() const { return header_reader_.header().size() + header_.size(); }
  // A refusal means that the rest need not be given: the header is not acceptable, or the disk is
  // full.
  Refusal on_bytes(std::string_view bytes);
  // After the last byte: what to commit, or why the message is refused.
  std::expected<StoreChange::NewMessage, smtp::Reply> complete(mail::Envelope envelope,
                                                               const Arrival& arrival);

 private:
  Refusal begin_body();
  Refusal append_body(std::string_view bytes);
  bool is_submission() const { return client_.standing != Client::Standing::stranger; }
  const std::vector<mailauth::DkimSigner>* signers() const;
  Result<std::string> sign();  // the DKIM-Signature fields
  std::string received(const mail::Envelope& envelope, const Arrival& arrival) const;

  MessageContext context_;
  std::shared_ptr<const Domains> domains_;
  Client client_;
  QueueId id_;
  WallTime now_;
  mail::HeaderReader header_reader_;
  mail::ContentScanner scanner_;
  std::unique_ptr<BodyWriter> body_;
  bool in_body_ = false;
  std::string header_;       // as it will be kept, without our own trace and signature fields
  std::string from_domain_;  // of the first author; empty when nobody can tell
  std::string subject_;
  std::string message_id_;
  const std::vector<mailauth::DkimSigner>* signers_ = nullptr;  // null: nobody signs this message
  std::optional<mailauth::DkimBodyHasher> body_hasher_;         // where somebody does
};

}  // namespace tapal::intake
