// How one recipient's mail leaves us where an alias says so, in place of its domain's servers or
// its user's mailbox.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tapal::mail {

struct Handover {
  enum class Kind : std::uint8_t {
    usual,    // our user's mailbox (its folder `target`), or by the domain's MX and routes
    host,     // by SMTP to `target`: "host", "host:port", "[2001:db8::1]:25"
    lmtp,     // by LMTP (RFC 2033) to `target`: "unix:/run/x.sock" or "host:port"
    maildir,  // into the Maildir folder `target`, an absolute path
    program,  // `arguments`, the first an absolute path, with the message on standard input
    http,     // POSTed to the URL `target`
  };
  Kind kind = Kind::usual;
  std::string target;
  std::vector<std::string> arguments;

  bool operator==(const Handover&) const = default;
};

// Where it goes, in words: "program /usr/bin/maildrop", "LMTP unix:/run/x.sock", "HTTP
// https://hooks.example". Of a program just its name, of a URL just the server: what follows may be
// secret. Two handovers with the same words lead to the same place. Empty for `usual`.
std::string place_text(const Handover& handover);

}  // namespace tapal::mail
