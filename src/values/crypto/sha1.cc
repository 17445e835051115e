#include "values/crypto/sha1.h"

#include <stdexcept>

#include <openssl/evp.h>

namespace tapal::crypto {

std::string sha1(std::string_view bytes) {
  std::string digest(20, '\0');
  unsigned size = 0;
  auto* out = reinterpret_cast<unsigned char*>(digest.data());
  if (EVP_Digest(bytes.data(), bytes.size(), out, &size, EVP_sha1(), nullptr) != 1 ||
      size != digest.size())
    throw std::runtime_error("libcrypto cannot compute SHA-1");
  return digest;
}

}  // namespace tapal::crypto
