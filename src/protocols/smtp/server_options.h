// What a receiving session is told about its listener, and the limits it keeps.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace tapal::smtp {

// Every limit has its own reply; none of them can be talked around by cutting or pipelining.
struct ServerLimits {
  std::size_t command_line_bytes = 2048;  // with CRLF; RFC 5321 section 4.5.3.1.4 asks 512 and the
                                          // extensions add about 1300: 500 5.5.2
  std::size_t auth_line_bytes = 12'288;   // RFC 4954 section 4: 500 5.5.6
  std::size_t text_line_bytes = 998;      // without CRLF, RFC 5321 section 4.5.3.1.6: 550 5.6.0
  std::uint64_t header_bytes = 256 * 1024;      // 552 5.3.4
  std::uint64_t message_bytes = 50'000'000;     // SIZE: 552 5.3.4 at MAIL, or at the end
  std::uint64_t discarded_bytes = 100'000'000;  // of a refused message, read only to stay in step:
                                                // 552 5.3.4, closed
  std::size_t recipients = 1000;                // of one message, RCPTMAX: 452 4.5.3
  std::size_t refused_recipients = 100;  // of one session, against guessing: 421 4.7.0, closed
  std::size_t errors = 10;          // of syntax or sequence between messages: 421 4.7.0, closed
  std::size_t idle_commands = 100;  // that carry no message, between messages (RSET, NOOP,
                                    // EHLO, VRFY, MAIL after MAIL): 421 4.7.0, closed
  std::size_t transactions = 1000;  // of one session, MAILMAX: 421 4.7.0, closed
  std::size_t auth_attempts = 3;    // 421 4.7.0, closed
  std::size_t unread_bytes = 1024 * 1024;  // given to on_bytes() and not yet looked at: 421 4.3.2
  std::chrono::seconds idle{300};          // RFC 5321 section 4.5.3.2.7: 421 4.4.2, closed
  std::chrono::seconds session{3600};      // 421 4.4.2, closed
};

enum class ServerRole : std::uint8_t {
  mx,          // port 25: mail from anybody for us; AUTH is never offered
  submission,  // ports 587 and 465: mail from our users
};

enum class ServerTls : std::uint8_t {
  none,
  starttls,      // offered until it is on
  implicit_tls,  // on before the first byte (RFC 8314)
};

struct ServerOptions {
  std::string hostname;           // said in the greeting and in EHLO
  std::string postmaster_domain;  // of RCPT TO:<postmaster>; empty: the hostname
  ServerRole role = ServerRole::mx;
  ServerTls tls = ServerTls::none;
  bool tls_required = false;             // MAIL in clear gives 530 5.7.0
  bool authentication_required = false;  // MAIL without AUTH gives 530 5.7.0
  std::vector<std::string> mechanisms;   // of SASL, offered under TLS and with role submission only
  ServerLimits limits;
};

}  // namespace tapal::smtp
