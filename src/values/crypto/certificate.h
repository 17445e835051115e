// X.509 certificates: making a self-signed one, and reading what a person wants to know of one.
// Trust is decided elsewhere.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "values/crypto/hash.h"
#include "values/crypto/key.h"

namespace tapal::crypto {

struct Validity {
  WallTime not_before;
  WallTime not_after;
};

inline constexpr std::size_t certificate_names_max = 100;
inline constexpr std::size_t chain_certificates_max = 10;

// A certificate for TLS servers, signed with its own key, as PEM. `names` become the subject
// alternative names: DNS names as A-labels ("*." in front is allowed) or IP addresses as text;
// the first is the common name where it fits.
Result<std::string> make_self_signed(const std::vector<std::string>& names,
                                     const PrivateKey& key,
                                     Validity validity);

// The one that answers a tls-alpn-01 challenge (RFC 8737 section 3): `proof` is the SHA-256 of the
// key authorization.
Result<std::string> make_challenge_certificate(const std::string& name,
                                               const Digest& proof,
                                               const PrivateKey& key,
                                               Validity validity);

struct CertificateFacts {
  std::vector<std::string>
      names;            // DNS names in lower case and addresses, of the alternative names
  std::string subject;  // one line, as "CN=mail.example.com"
  std::string issuer;
  Validity validity;
  bool self_signed = false;
  Digest sha256{};               // of the whole certificate (DER)
  Digest key_sha256{};           // of its SubjectPublicKeyInfo, as DANE "3 1 1" has it (RFC 6698)
  std::string serial;            // the bytes of the DER INTEGER, a leading zero included
  std::string authority_key_id;  // keyIdentifier (RFC 5280 section 4.2.1.1); may be empty
};

// The first certificate of a PEM text (a chain begins with its leaf). At most pem_bytes_max long.
Result<CertificateFacts> read_certificate(std::string_view pem);

// All certificates of a PEM text, the leaf first. Code::invalid also where one does not name the
// next as its issuer; signatures are not checked.
Result<std::vector<CertificateFacts>> read_chain(std::string_view pem);

// Whether one of its names stands for `host`, in lower case. "*.example.org" covers one label
// (RFC 9525 section 6.3).
bool covers(const CertificateFacts& certificate, std::string_view host);

// Whether the certificate's key is this one.
bool certificate_fits(std::string_view pem, const PrivateKey& key);

}  // namespace tapal::crypto
