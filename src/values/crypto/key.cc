#include "values/crypto/key.h"

#include <array>
#include <optional>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>
#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "values/crypto/c_library.h"

namespace tapal::crypto {
namespace {

void release_sequence(ASN1_SEQUENCE_ANY* sequence) {
  sk_ASN1_TYPE_pop_free(sequence, ASN1_TYPE_free);
}

using ContextHandle = std::unique_ptr<EVP_PKEY_CTX, Releaser<EVP_PKEY_CTX_free>>;
using DigestHandle = std::unique_ptr<EVP_MD_CTX, Releaser<EVP_MD_CTX_free>>;

constexpr std::size_t ed25519_bytes = 32;

// The oldest reason the library has queued for this thread; empties the queue.
std::string library_error() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  return reason == nullptr ? "no reason given" : reason;
}

std::optional<KeyKind> kind_of(const EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, "RSA") == 1) return KeyKind::rsa;
  if (EVP_PKEY_is_a(key, "ED25519") == 1) return KeyKind::ed25519;
  if (EVP_PKEY_is_a(key, "EC") != 1) return {};
  std::array<char, 32> curve{};
  if (EVP_PKEY_get_group_name(key, curve.data(), curve.size(), nullptr) != 1) return {};
  if (std::string_view(curve.data()) == SN_X9_62_prime256v1) return KeyKind::ec_p256;
  return {};
}

// The kind, if the key is one that this project uses, within the bounds.
Result<KeyKind> accepted_kind(const EVP_PKEY* key) {
  const std::optional<KeyKind> kind = kind_of(key);
  if (!kind)
    return fail(Code::invalid, "a key of an unsupported kind; use RSA, Ed25519 or EC P-256");
  if (*kind != KeyKind::rsa) return *kind;
  const int bits = EVP_PKEY_get_bits(key);
  if (bits < rsa_bits_min) {
    return fail(
        Code::invalid,
        fmt::format("an RSA key of {} bits is too small; {} is the least (RFC 8301 section 3.2)",
                    bits,
                    rsa_bits_min));
  }
  if (bits > rsa_bits_max) {
    return fail(
        Code::invalid,
        fmt::format("an RSA key of {} bits is too large; {} is the most", bits, rsa_bits_max));
  }
  return *kind;
}

struct PassphraseAsked {
  bool asked = false;
};

int refuse_passphrase(char*, int, int, void* data) {
  static_cast<PassphraseAsked*>(data)->asked = true;
  return -1;
}

std::string why_no_private_key(std::string_view pem) {
  if (pem.contains("-----BEGIN CERTIFICATE")) return "a certificate, not a private key";
  if (pem.contains("PUBLIC KEY-----")) return "a public key, not a private key";
  if (pem.contains("-----BEGIN OPENSSH")) {
    return "an OpenSSH key; convert it with ssh-keygen -p -m PKCS8";
  }
  if (pem.contains("PRIVATE KEY-----")) return "a damaged private key: " + library_error();
  return "not a private key in PEM form (no \"-----BEGIN PRIVATE KEY-----\")";
}

Result<std::string> sign_digest_with(EVP_PKEY* key, KeyKind kind, const Digest& digest) {
  const ContextHandle context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  bool good = context && EVP_PKEY_sign_init(context.get()) == 1;
  if (good && kind == KeyKind::rsa) {
    good = EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING) == 1;
  }
  good = good && EVP_PKEY_CTX_set_signature_md(context.get(), EVP_sha256()) == 1;
  std::size_t size = 0;
  good = good && EVP_PKEY_sign(context.get(), nullptr, &size, digest.data(), digest.size()) == 1;
  std::string signature(size, '\0');
  good = good &&
         EVP_PKEY_sign(
             context.get(), unsigned_bytes(signature), &size, digest.data(), digest.size()) == 1;
  if (!good) return fail(Code::internal, "cannot sign: " + library_error());
  signature.resize(size);
  return signature;
}

Result<std::string> sign_message_with(EVP_PKEY* key, const Digest& digest) {
  const DigestHandle context(EVP_MD_CTX_new());
  bool good = context && EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key) == 1;
  std::size_t size = 0;
  good = good && EVP_DigestSign(context.get(), nullptr, &size, digest.data(), digest.size()) == 1;
  std::string signature(size, '\0');
  good = good &&
         EVP_DigestSign(
             context.get(), unsigned_bytes(signature), &size, digest.data(), digest.size()) == 1;
  if (!good) return fail(Code::internal, "cannot sign: " + library_error());
  signature.resize(size);
  return signature;
}

using Sequence = std::unique_ptr<ASN1_SEQUENCE_ANY, Releaser<release_sequence>>;

// AlgorithmIdentifier of rsaEncryption in DER (RFC 8017 appendix A.1).
constexpr std::string_view rsa_algorithm(
    "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00", 15);

// The whole of `der` as an RSAPublicKey.
KeyHandle read_bare_rsa(std::string_view der) {
  const unsigned char* at = unsigned_bytes(der);
  KeyHandle key(d2i_PublicKey(EVP_PKEY_RSA, nullptr, &at, static_cast<long>(der.size())));
  if (at != unsigned_bytes(der) + der.size()) key.reset();
  return key;
}

// RSA in a SubjectPublicKeyInfo, unwrapped by hand: the library's general way, d2i_PUBKEY, asks
// every decoder it has and takes 200 times as long.
KeyHandle read_wrapped_rsa(std::string_view der) {
  const unsigned char* at = unsigned_bytes(der);
  const Sequence parts(d2i_ASN1_SEQUENCE_ANY(nullptr, &at, static_cast<long>(der.size())));
  if (!parts || at != unsigned_bytes(der) + der.size() || sk_ASN1_TYPE_num(parts.get()) != 2) {
    return nullptr;
  }
  const ASN1_TYPE* algorithm = sk_ASN1_TYPE_value(parts.get(), 0);
  const ASN1_TYPE* bits = sk_ASN1_TYPE_value(parts.get(), 1);
  if (algorithm->type != V_ASN1_SEQUENCE || bits->type != V_ASN1_BIT_STRING ||
      contents(algorithm->value.sequence) != rsa_algorithm) {
    return nullptr;
  }
  return read_bare_rsa(contents(bits->value.bit_string));
}

KeyHandle read_public(std::string_view der) {
  KeyHandle key = read_wrapped_rsa(der);
  if (!key) key = read_bare_rsa(der);
  if (!key) {
    const unsigned char* at = unsigned_bytes(der);
    key.reset(d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size())));
    if (at != unsigned_bytes(der) + der.size()) key.reset();
  }
  ERR_clear_error();
  return key;
}

}  // namespace

std::string_view key_kind_text(KeyKind kind) {
  switch (kind) {
    case KeyKind::rsa: return "rsa";
    case KeyKind::ed25519: return "ed25519";
    case KeyKind::ec_p256: return "ec-p256";
  }
  return "unknown";
}

struct PublicKey::State {
  KeyHandle key;
  KeyKind kind = KeyKind::rsa;
};

struct PrivateKey::State {
  KeyHandle key;
  KeyKind kind = KeyKind::rsa;
};

PublicKey::PublicKey(std::shared_ptr<const State> state) : state_(std::move(state)) {}

Result<PublicKey> PublicKey::from_der(std::string_view der) {
  if (der.size() > pem_bytes_max) return fail(Code::invalid, "a public key of too many bytes");
  KeyHandle key = read_public(der);
  if (!key) return fail(Code::invalid, "not a public key");
  TAPAL_TRY(const KeyKind kind, accepted_kind(key.get()));
  return PublicKey(std::make_shared<const State>(std::move(key), kind));
}

Result<PublicKey> PublicKey::from_ed25519(std::string_view bytes) {
  if (bytes.size() != ed25519_bytes) {
    return fail(Code::invalid,
                fmt::format("an Ed25519 key has 32 bytes, this one {}", bytes.size()));
  }
  KeyHandle key(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, unsigned_bytes(bytes), bytes.size()));
  if (!key) return fail(Code::invalid, "not an Ed25519 key: " + library_error());
  return PublicKey(std::make_shared<const State>(std::move(key), KeyKind::ed25519));
}

KeyKind PublicKey::kind() const { return state_->kind; }
int PublicKey::bits() const {
  // The library counts 253 significant bits of the group; people say 256.
  return state_->kind == KeyKind::ed25519 ? 256 : EVP_PKEY_get_bits(state_->key.get());
}

bool PublicKey::verify(const Digest& digest, std::string_view signature) const {
  bool good = false;
  if (state_->kind == KeyKind::ed25519) {
    const DigestHandle context(EVP_MD_CTX_new());
    good = context &&
           EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, state_->key.get()) == 1 &&
           EVP_DigestVerify(context.get(),
                            unsigned_bytes(signature),
                            signature.size(),
                            digest.data(),
                            digest.size()) == 1;
  } else {
    const ContextHandle context(EVP_PKEY_CTX_new_from_pkey(nullptr, state_->key.get(), nullptr));
    good = context && EVP_PKEY_verify_init(context.get()) == 1;
    if (good && state_->kind == KeyKind::rsa) {
      good = EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING) == 1;
    }
    good = good && EVP_PKEY_CTX_set_signature_md(context.get(), EVP_sha256()) == 1 &&
           EVP_PKEY_verify(context.get(),
                           unsigned_bytes(signature),
                           signature.size(),
                           digest.data(),
                           digest.size()) == 1;
  }
  if (!good) ERR_clear_error();
  return good;
}

PrivateKey::PrivateKey(std::unique_ptr<State> state) : state_(std::move(state)) {}
PrivateKey::PrivateKey(PrivateKey&&) noexcept = default;
PrivateKey& PrivateKey::operator=(PrivateKey&&) noexcept = default;
PrivateKey::~PrivateKey() = default;

Result<PrivateKey> PrivateKey::from_pem(std::string_view pem) {
  if (pem.size() > pem_bytes_max) return fail(Code::invalid, "a key file of too many bytes");
  ERR_clear_error();
  const BioHandle bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  PassphraseAsked passphrase;
  KeyHandle key(bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, refuse_passphrase, &passphrase)
                    : nullptr);
  if (!key && passphrase.asked) {
    ERR_clear_error();
    return fail(Code::invalid, "an encrypted private key; decrypt it with openssl pkey");
  }
  if (!key) return fail(Code::invalid, why_no_private_key(pem));
  TAPAL_TRY(const KeyKind kind, accepted_kind(key.get()));
  return PrivateKey(std::make_unique<State>(std::move(key), kind));
}

Result<PrivateKey> PrivateKey::generate_rsa(int bits) {
  if (bits < rsa_bits_min || bits > rsa_bits_max) {
    return fail(
        Code::invalid,
        fmt::format("RSA keys have {} to {} bits, not {}", rsa_bits_min, rsa_bits_max, bits));
  }
  KeyHandle key(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", static_cast<std::size_t>(bits)));
  if (!key) return fail(Code::internal, "cannot make an RSA key: " + library_error());
  return PrivateKey(std::make_unique<State>(std::move(key), KeyKind::rsa));
}

Result<PrivateKey> PrivateKey::generate_ed25519() {
  KeyHandle key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  if (!key) return fail(Code::internal, "cannot make an Ed25519 key: " + library_error());
  return PrivateKey(std::make_unique<State>(std::move(key), KeyKind::ed25519));
}

Result<PrivateKey> PrivateKey::generate_ec_p256() {
  KeyHandle key(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
  if (!key) return fail(Code::internal, "cannot make an EC key: " + library_error());
  return PrivateKey(std::make_unique<State>(std::move(key), KeyKind::ec_p256));
}

KeyKind PrivateKey::kind() const { return state_->kind; }
int PrivateKey::bits() const {
  return state_->kind == KeyKind::ed25519 ? 256 : EVP_PKEY_get_bits(state_->key.get());
}

std::string PrivateKey::to_pem() const {
  const BioHandle bio(BIO_new(BIO_s_secmem()));
  char* text = nullptr;
  if (!bio || PEM_write_bio_PKCS8PrivateKey(
                  bio.get(), state_->key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    throw std::runtime_error("libcrypto cannot print a private key");
  }
  const long size = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

Result<std::string> PrivateKey::sign(const Digest& digest) const {
  if (state_->kind == KeyKind::ed25519) return sign_message_with(state_->key.get(), digest);
  return sign_digest_with(state_->key.get(), state_->kind, digest);
}

std::string PrivateKey::public_key_der() const {
  unsigned char* bytes = nullptr;
  const int size = i2d_PUBKEY(state_->key.get(), &bytes);
  if (size <= 0) throw std::runtime_error("libcrypto cannot print a public key");
  std::string der(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  OPENSSL_free(bytes);
  return der;
}

std::string PrivateKey::ed25519_public_bytes() const {
  if (state_->kind != KeyKind::ed25519) return {};
  std::string bytes(ed25519_bytes, '\0');
  std::size_t size = bytes.size();
  if (EVP_PKEY_get_raw_public_key(state_->key.get(), unsigned_bytes(bytes), &size) != 1) {
    throw std::runtime_error("libcrypto cannot print a public key");
  }
  return bytes;
}

PublicKey PrivateKey::public_key() const {
  EVP_PKEY_up_ref(state_->key.get());
  return PublicKey(
      std::make_shared<const PublicKey::State>(KeyHandle(state_->key.get()), state_->kind));
}

}  // namespace tapal::crypto
