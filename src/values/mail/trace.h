// Trace fields: Received and Return-Path (RFC 5321 section 4.4), Delivered-To (RFC 9228), complete
// with CRLF.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/ip_address.h"
#include "base/time.h"
#include "values/mail/address.h"

namespace tapal::mail {

struct Received {
  // From whom. Mail submitted by a user has no peer: the client's address is nobody's business.
  struct Peer {
    std::string helo;  // as the client said it
    IpAddress address;
    std::string name;  // by reverse DNS and back again; empty: "unknown"
  };
  std::optional<Peer> peer;
  std::string by;        // our host name
  std::string protocol;  // "ESMTPS", of the IANA registry "Mail Transmission Types"; empty: none,
                         // the message began here
  std::string tls;       // "TLSv1.3 TLS_AES_256_GCM_SHA384", told in a comment; empty: none
  std::string id;        // the queue id
  std::optional<Address> recipient;  // only where there is exactly one: Bcc stays blind
  WallTime time{};
};

std::string received_field(const Received& received);

// Put on top at final delivery: "Return-Path: <user@example.com>"; nothing is "<>".
std::string return_path_field(const std::optional<Address>& return_path);

// Put on top where mail for an address of ours leaves SMTP, or is sent on: seen there again, the
// message goes in circles (RFC 9228 section 3).
std::string delivered_to_field(const Address& address);

// Whether a field of `header` says that the message was delivered to `address` before. Reads broken
// headers too; no field can hide the ones below it.
bool was_delivered_to(std::string_view header, const Address& address);

}  // namespace tapal::mail
