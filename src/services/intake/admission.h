// Who may send what to whom: the answers to MAIL and RCPT, and to the addresses in the header.
// Pure, but for return paths that are kept; the refusal is the SMTP reply, with its reason and the
// next step.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "protocols/smtp/reply.h"
#include "services/intake/domains.h"
#include "services/intake/return_paths.h"
#include "values/mail/envelope.h"

namespace tapal::intake {

// The peer at the other end, as far as it has been made out.
struct Client {
  enum class Standing : std::uint8_t {
    stranger,  // port 25: only mail for our own domains
    trusted,   // from a network that relay.trusted_networks names: mail to anywhere
    local,     // a program of this machine, by `tapal sendmail`: mail to anywhere
    user,      // authenticated
  };
  Standing standing = Standing::stranger;
  std::string user;  // "name@domain" where standing is user; the login where it is local
};

using Refusal = std::optional<smtp::Reply>;

// MAIL FROM. The null return path is open to all (RFC 5321 section 4.5.5).
Refusal check_sender(const Domains& domains,
                     const Client& client,
                     const std::optional<mail::Address>& sender);

// The same rule for an address in From or Sender; `field` names it in the reply.
Refusal check_header_address(const Domains& domains,
                             const Client& client,
                             const mail::Address& address,
                             std::string_view field);

// What RCPT is asked within.
struct Passage {
  std::optional<mail::Address> return_path;  // of MAIL; nothing is <>
  WallTime now{};
  const ReturnPaths* return_paths = nullptr;  // null: none is kept
};

struct Placed {
  mail::Recipient recipient;  // with its handover
  alias::Target::Kind kind = alias::Target::Kind::remote;
  // The address of ours that led out, where an alias did: the message is a forward, its return
  // path has to be rewritten (rules/forward/srs.h).
  std::optional<mail::Address> via_alias = {};
};

// RCPT TO: who gets it in the end. An alias may stand for several. Addresses that we rewrote
// (rules/forward/srs.h) take bounces only, and lead to the sender behind them.
std::expected<std::vector<Placed>, smtp::Reply> place_recipient(const Domains& domains,
                                                                const Client& client,
                                                                const Passage& passage,
                                                                const mail::Recipient& recipient);

}  // namespace tapal::intake
