#include "values/crypto/json_web_signature.h"

#include <memory>

#include <fmt/format.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>

#include "values/crypto/hash.h"
#include "values/crypto/x509_parts.h"
#include "values/text/base64.h"

namespace tapal::crypto {
namespace {

constexpr std::size_t number_bytes = 32;  // of a coordinate, of R and of S

Error wrong_kind() { return {Code::invalid, "ES256 takes EC P-256 keys only"}; }

std::string signing_input(std::string_view header, std::string_view payload) {
  return text::to_base64_url(header) + "." + text::to_base64_url(payload);
}

std::string flattened(const std::string& input, std::string_view signature) {
  const auto dot = input.find('.');
  return fmt::format(R"({{"protected":"{}","payload":"{}","signature":"{}"}})",
                     input.substr(0, dot),
                     input.substr(dot + 1),
                     text::to_base64_url(signature));
}

}  // namespace

Result<std::string> json_web_key(const PrivateKey& key) {
  // A SubjectPublicKeyInfo ends with the point: 04, x, y when it is not compressed.
  const auto der = key.public_key_der();
  constexpr std::size_t point_bytes = 1 + 2 * number_bytes;
  if (key.kind() != KeyKind::ec_p256 || der.size() < point_bytes ||
      der[der.size() - point_bytes] != '\x04')
    return std::unexpected(wrong_kind());
  const auto point = std::string_view(der).substr(der.size() - 2 * number_bytes);
  return fmt::format(R"({{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}})",
                     text::to_base64_url(point.substr(0, number_bytes)),
                     text::to_base64_url(point.substr(number_bytes)));
}

std::string json_web_key_thumbprint(std::string_view json_web_key) {
  return text::to_base64_url(bytes_of(sha256(json_web_key)));
}

Result<std::string> sign_es256(const PrivateKey& key, std::string_view input) {
  using Signature = std::unique_ptr<ECDSA_SIG, Releaser<ECDSA_SIG_free>>;
  if (key.kind() != KeyKind::ec_p256) return std::unexpected(wrong_kind());
  TAPAL_TRY(const auto der, key.sign(sha256(input)));
  const auto* at = unsigned_bytes(der);
  const Signature parts(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  std::string raw(2 * number_bytes, '\0');
  auto* out = unsigned_bytes(raw);
  constexpr int width = static_cast<int>(number_bytes);
  if (!parts || BN_bn2binpad(ECDSA_SIG_get0_r(parts.get()), out, width) != width ||
      BN_bn2binpad(ECDSA_SIG_get0_s(parts.get()), out + number_bytes, width) != width)
    return fail(Code::internal, "libcrypto makes no ECDSA signature");
  return raw;
}

Result<std::string> sign_json_es256(const PrivateKey& key,
                                    std::string_view header,
                                    std::string_view payload) {
  const auto input = signing_input(header, payload);
  TAPAL_TRY(const auto signature, sign_es256(key, input));
  return flattened(input, signature);
}

std::string sign_json_hs256(std::string_view secret,
                            std::string_view header,
                            std::string_view payload) {
  const auto input = signing_input(header, payload);
  return flattened(input, bytes_of(hmac_sha256(secret, input)));
}

}  // namespace tapal::crypto
