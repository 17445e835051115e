// What a refusal means: whether it is worth another try, whom it is about, and its enhanced status
// code (RFC 5321 section 4.2, RFC 3463, RFC 5248).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "protocols/smtp/reply.h"

namespace tapal::bounce {

// What the reply answered.
enum class Phase : std::uint8_t {
  greeting,
  hello,
  start_tls,
  auth,
  mail,
  recipient,
  data,  // DATA, or a BDAT before the last
  end,   // the final dot, or BDAT LAST
};

// What went wrong without a reply.
enum class Failure : std::uint8_t {
  unreachable,          // no address of the host took the connection
  connection_lost,      // before the answer to the end of data
  timed_out,            // the peer stayed silent too long
  unreadable_reply,     // what the peer sent is no SMTP
  tls_failed,           // the handshake, or a certificate that had to hold
  tls_not_offered,      // where TLS is required by the route
  require_tls_lacking,  // REQUIRETLS asked for, and the peer lacks it (RFC 8689)
  auth_not_offered,     // a smarthost offers no mechanism we may use
  dns_failed,           // no answer, or SERVFAIL
  dns_bogus,            // DNSSEC says the answer is forged
  no_such_domain,
  no_mail_host,     // the domain is there, but no address to send to
  null_mx,          // RFC 7505: the domain takes no mail
  address_refused,  // every address is one we do not connect to (private, loopback, our own)
  loops_to_us,      // the best mail host is this one
  too_many_hops,
  expired,         // tried as long as the schedule allows
  too_large,       // past the peer's SIZE (RFC 1870)
  needs_8bit,      // peer lacks 8BITMIME (RFC 6152)
  needs_binary,    // peer lacks BINARYMIME (RFC 3030)
  needs_smtputf8,  // peer lacks SMTPUTF8 (RFC 6531)
  local_mailbox,   // our own delivery into a mailbox failed for now
  local_disk_full,
  handover_unusable,  // an alias leads to a program, URL or socket that cannot be used as it is
  program_died,       // by a signal, or killed when its time was up
  no_such_user,       // a domain of ours has no such address
  dropped_by_operator,
};

enum class Verdict : std::uint8_t { accepted, temporary, permanent };

// Whom it concerns: after `server`, another mail host of the domain may do better.
enum class Scope : std::uint8_t { recipient, message, server };

struct Judgement {
  Verdict verdict = Verdict::temporary;
  Scope scope = Scope::recipient;
  std::string status;       // "4.4.1"; its class agrees with the verdict
  std::string_view reason;  // why it was judged so: static text for the log

  bool operator==(const Judgement&) const = default;
};

Judgement classify(Phase phase, const smtp::Reply& reply);
Judgement classify(Failure failure);

// The status of a recipient given up on after temporary failures: refusals on security grounds stay
// what they were ("4.7.5" is "5.7.5"), all else is "5.4.7", delivery time expired.
std::string status_at_give_up(std::string_view last_status);

}  // namespace tapal::bounce
