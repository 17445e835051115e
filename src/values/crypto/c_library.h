// What libcrypto and libsodium take and give back: bytes as they want them, and handles that
// release their objects. For the sources of this module alone: shows libcrypto's types.
#pragma once

#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/evp.h>

namespace tapal::crypto {

template <auto Release>
struct Releaser {
  template <class Object>
  void operator()(Object* object) const {
    Release(object);
  }
};

using BioHandle = std::unique_ptr<BIO, Releaser<BIO_free>>;
using KeyHandle = std::unique_ptr<EVP_PKEY, Releaser<EVP_PKEY_free>>;

inline const unsigned char* unsigned_bytes(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}
inline unsigned char* unsigned_bytes(std::string& bytes) {
  return reinterpret_cast<unsigned char*>(bytes.data());
}

// libcrypto measures many lengths in int.
inline int int_size(std::string_view bytes) {
  if (bytes.size() > std::numeric_limits<int>::max())
    throw std::runtime_error("more bytes than libcrypto takes at once");
  return static_cast<int>(bytes.size());
}

// Borrowed from `string`.
inline std::string_view contents(const ASN1_STRING* string) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
          static_cast<std::size_t>(ASN1_STRING_length(string))};
}

}  // namespace tapal::crypto
