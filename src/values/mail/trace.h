// Trace fields (RFC 5321 section 4.4): Received and Return-Path, complete with CRLF.
#pragma once

#include <optional>
#include <string>

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
  std::string protocol;  // "ESMTPS", of the IANA registry "Mail Transmission Types"
  std::string tls;       // "TLSv1.3 TLS_AES_256_GCM_SHA384", told in a comment; empty: none
  std::string id;        // the queue id
  std::optional<Address> recipient;  // only where there is exactly one: Bcc stays blind
  WallTime time{};
};

std::string received_field(const Received& received);

// Put on top at final delivery: "Return-Path: <user@example.com>"; nothing is "<>".
std::string return_path_field(const std::optional<Address>& return_path);

}  // namespace tapal::mail
