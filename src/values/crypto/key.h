// Signing keys: RSA, Ed25519 and EC P-256, as DKIM, certificates and ACME need them.
// Both classes are immutable after construction and may be used by several threads at once.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "values/crypto/hash.h"

namespace tapal::crypto {

enum class KeyKind : std::uint8_t { rsa, ed25519, ec_p256 };

std::string_view key_kind_text(KeyKind kind);  // "rsa", "ed25519", "ec-p256"

inline constexpr int rsa_bits_min = 1024;  // RFC 8301 section 3.2: shorter keys prove nothing
inline constexpr int rsa_bits_max = 8192;  // bounds the work a stranger's key can cause
inline constexpr std::size_t pem_bytes_max = 64 * 1024;

class PublicKey {
 public:
  // A SubjectPublicKeyInfo, or a bare RSAPublicKey as some publish in DKIM records
  // (RFC 6376 section 3.6.1 with erratum 3758 and RFC 8017 appendix A.1.1).
  // Refused with Code::invalid: anything else, trailing bytes, RSA outside the bounds above.
  static Result<PublicKey> from_der(std::string_view der);
  static Result<PublicKey> from_ed25519(std::string_view bytes);  // 32 bytes (RFC 8463 section 4)

  KeyKind kind() const;
  int bits() const;

  // RSA: PKCS#1 v1.5 over the digest; Ed25519: PureEdDSA over the 32 bytes of the digest
  // (RFC 8463 section 3); EC P-256: ECDSA over the digest, signature as DER.
  bool verify(const Digest& digest, std::string_view signature) const;

 private:
  friend class PrivateKey;
  struct State;
  explicit PublicKey(std::shared_ptr<const State> state);
  std::shared_ptr<const State> state_;
};

class PrivateKey {
 public:
  // PKCS#8, and the traditional RSA and EC forms. The error tells an encrypted key, a public key
  // or certificate, an unsupported kind and a too short key apart; it never shows key bytes.
  static Result<PrivateKey> from_pem(std::string_view pem);
  static Result<PrivateKey> generate_rsa(int bits);  // rsa_bits_min to rsa_bits_max; 2048: 0.1-1 s
  static Result<PrivateKey> generate_ed25519();
  static Result<PrivateKey> generate_ec_p256();

  PrivateKey(PrivateKey&&) noexcept;
  PrivateKey& operator=(PrivateKey&&) noexcept;
  ~PrivateKey();

  KeyKind kind() const;
  int bits() const;
  std::string to_pem() const;  // PKCS#8, not encrypted

  // What PublicKey::verify checks. RSA-2048 about 270 us, Ed25519 about 50 us.
  Result<std::string> sign(const Digest& digest) const;

  std::string public_key_der() const;        // SubjectPublicKeyInfo
  std::string ed25519_public_bytes() const;  // 32 bytes; empty for other kinds
  PublicKey public_key() const;

 private:
  struct State;
  explicit PrivateKey(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace tapal::crypto
