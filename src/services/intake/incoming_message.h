// A message on its way in: its header is collected and completed, its body streams into the spool,
// and at its end it is inspected or signed. Belongs to one transaction of one session.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip_address.h"
#include "base/task.h"
#include "ports/clock.h"
#include "ports/random.h"
#include "ports/store.h"
#include "protocols/mailauth/dkim_sign.h"
#include "protocols/smtp/reply.h"
#include "services/intake/admission.h"
#include "services/intake/branch.h"
#include "services/intake/domains.h"
#include "services/intake/inspection.h"
#include "services/intake/options.h"
#include "services/intake/return_paths.h"
#include "values/mail/content.h"
#include "values/mail/header.h"

namespace tapal::intake {

// Whose message it is.
struct Sender {
  Client client;
  Endpoint peer;
  std::string helo;
  std::optional<mail::Address> return_path;
};

// How the message came in, as its Received field tells it.
struct Arrival {
  std::string protocol;  // "ESMTPSA"; empty: from a program of this machine
  std::string tls;       // "TLSv1.3 TLS_AES_256_GCM_SHA384", or empty
};

// What outlives every message; references must, too.
struct MessageContext {
  const Options& options;
  Clock& clock;
  Random& random;
  Store& store;
  ReturnPaths& return_paths;
  const InspectionWorld* inspection = nullptr;  // null: nothing is inspected
};

// What the client is told when the spool could not take a message.
smtp::Reply storage_refusal(const Error& error);

class IncomingMessage {
 public:
  IncomingMessage(MessageContext context,
                  std::shared_ptr<const Domains> domains,
                  Sender sender,
                  std::vector<Placed> recipients);

  QueueId id() const { return branches_.front().id; }
  // In memory, about: an inspection has a copy of its own.
  std::size_t header_bytes() const {
    return (header_reader_.header().size() + header_.size()) * (inspection_ ? 2 : 1);
  }
  // A refusal means that the rest need not be given: the header is not acceptable, or the disk is
  // full.
  Refusal on_bytes(std::string_view bytes);

  // After the last byte: what to commit, or why the message is refused. Nothing added is a message
  // that a filter wants taken and thrown away.
  using Completed = std::expected<StoreChange, smtp::Reply>;
  Task<Completed> complete(mail::Envelope envelope, Arrival arrival);
  // Whether complete() gave one message that an alias passes on to one recipient: what becomes of
  // its first attempt can be told to the sender.
  bool is_one_forward() const { return one_forward_; }

 private:
  struct Facts;  // what the inspection came to, and what follows from it

  Refusal begin_body();
  Refusal append_body(std::string_view bytes);
  bool is_submission() const { return sender_.client.standing != Client::Standing::stranger; }
  const std::vector<mailauth::DkimSigner>* signers() const;
  bool passes_on() const;                                           // by an alias, any of it
  Result<std::string> sign(const crypto::Digest& body_hash) const;  // the DKIM-Signature fields
  std::string received(const Branch& branch, const Arrival& arrival, const Facts& facts) const;

  Refusal check_loops(const mail::ContentFacts& content) const;
  InspectionInput inspection_input(const Arrival& arrival);
  Result<void> take_in(judge::Verdict& verdict,
                       mail::Envelope& envelope,
                       std::optional<crypto::Digest>& body_hash);
  Result<void> change_recipients(const std::vector<mail::Address>& wanted,
                                 std::optional<crypto::Digest>& body_hash);
  std::vector<Placed> admit(const mail::Address& address, std::size_t recipients_so_far) const;
  Result<void> add(std::vector<Placed> recipients, std::optional<crypto::Digest>& body_hash);
  void put_aside(std::vector<mail::Recipient>& recipients) const;
  Refusal plan(Facts& facts) const;
  Result<void> finish(Branch& branch,
                      mail::Envelope envelope,
                      const Arrival& arrival,
                      const Facts& facts,
                      StoreChange& change);
  Result<std::string> head(const Branch& branch, const Arrival& arrival, const Facts& facts) const;

  MessageContext context_;
  std::shared_ptr<const Domains> domains_;
  Sender sender_;
  WallTime now_;
  std::vector<Branch> branches_;  // at least one, until a filter has taken out all recipients
  mail::HeaderReader header_reader_;
  mail::ContentScanner scanner_;
  std::optional<Inspection> inspection_;  // of strangers' mail
  bool in_body_ = false;
  bool one_forward_ = false;
  std::string header_;       // as it will be kept, without our own trace and signature fields
  std::string from_domain_;  // of the first author; empty when nobody can tell
  std::string subject_;
  std::string message_id_;
  const std::vector<mailauth::DkimSigner>* signers_ = nullptr;  // null: nobody signs this message
  std::optional<mailauth::DkimBodyHasher> body_hasher_;         // where somebody signs or seals
};

}  // namespace tapal::intake
