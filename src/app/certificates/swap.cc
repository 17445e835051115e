#include "app/certificates/swap.h"

#include <utility>

#include "base/ip_address.h"
#include "values/crypto/certificate.h"
#include "values/text/date.h"
#include "values/text/hex.h"

namespace tapal::app {
namespace {

constexpr std::size_t handshakes_max = 100;  // at once; about a millisecond each

std::string fingerprint_of(const crypto::CertificateFacts& facts) {
  return text::to_hex(crypto::bytes_of(facts.sha256));
}

// A host that clients ask for and this certificate is for; empty when there is none.
std::string host_of(const files::Certificate& certificate, const crypto::CertificateFacts& facts) {
  if (crypto::covers(facts, certificate.name)) return certificate.name;
  for (const auto& name : facts.names) {
    if (IpAddress::from_text(name)) continue;
    return name.starts_with("*.") ? "a" + name.substr(1) : name;
  }
  return {};
}

void tell(const files::Certificate& certificate,
          const crypto::CertificateFacts& facts,
          const ServerContext& server,
          Log& log) {
  const auto host = host_of(certificate, facts);
  if (host.empty()) return;
  const auto on_disk = fingerprint_of(facts);
  const auto shown = server.shown_to(host);
  const auto shown_facts =
      shown ? crypto::read_certificate(*shown) : std::unexpected(shown.error());
  LogFields fields{{"host", host},
                   {"file", certificate.chain_file},
                   {"on_disk", on_disk},
                   {"served", shown_facts ? fingerprint_of(*shown_facts) : ""},
                   {"expires", text::rfc3339_date(facts.validity.not_after)}};
  if (!shown_facts) {
    fields.emplace_back("reason", shown_facts.error().what);
    return log.write(Level::error, "a certificate cannot be served", std::move(fields));
  }
  if (shown_facts->sha256 == facts.sha256)
    return log.write(Level::info, "certificate in use", std::move(fields));
  fields.emplace_back("reason", "another file has a certificate for this host, too: remove one");
  log.write(Level::error, "another certificate is served than this one", std::move(fields));
}

}  // namespace

Fingerprints tell_certificates(const std::vector<files::Certificate>& on_disk,
                               const Fingerprints& before,
                               const ServerContext& server,
                               Log& log) {
  Fingerprints now;
  std::size_t handshakes = 0;
  for (const auto& certificate : on_disk) {
    const auto facts = crypto::read_certificate(certificate.chain_pem);
    if (!facts) continue;  // told by the folder
    const auto fingerprint = fingerprint_of(*facts);
    now.emplace(certificate.name, fingerprint);
    const auto old = before.find(certificate.name);
    const bool is_new = old == before.end() || old->second != fingerprint;
    if (is_new && ++handshakes <= handshakes_max) tell(certificate, *facts, server, log);
  }
  return now;
}

}  // namespace tapal::app
