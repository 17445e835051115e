// The certificate that a mail server shows to those who submit mail, and what a strict client such
// as Gmail will find wrong with it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ip_address.h"
#include "base/result.h"
#include "base/task.h"
#include "base/time.h"
#include "drivers/net/loop.h"
#include "values/crypto/certificate.h"

namespace tapal::app {

struct SubmissionPort {
  std::uint16_t port = 465;
  enum class Tls : std::uint8_t { implicit, starttls } tls = Tls::implicit;
};

struct ServedCertificate {
  std::string chain_pem;  // as it was sent, the server's own first
  bool is_trusted = false;
  std::string trouble;  // where it is not: the TLS library's words
};

// Connects as a client that looks for `host` does. The Error says what stood in the way.
Task<Result<ServedCertificate>> look_at_certificate(NetLoop& loop,
                                                    std::string host,
                                                    Endpoint server,
                                                    SubmissionPort::Tls tls,
                                                    std::string trusted_ca_file);

struct CertificateFinding {
  std::optional<crypto::CertificateFacts> facts;
  std::vector<std::string> problems;  // each with what to do; none: any client takes it
};
CertificateFinding judge_certificate(const ServedCertificate& served,
                                     const std::string& host,
                                     WallTime now);

}  // namespace tapal::app
