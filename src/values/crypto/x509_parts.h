// Handles and small steps that making and reading X.509 objects have in common. For the sources of
// this module alone: shows libcrypto's types.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/result.h"
#include "values/crypto/c_library.h"
#include "values/crypto/key.h"

namespace tapal::crypto::x509 {

using Certificate = std::unique_ptr<X509, Releaser<X509_free>>;
using Request = std::unique_ptr<X509_REQ, Releaser<X509_REQ_free>>;
using AlternativeNames = std::unique_ptr<GENERAL_NAMES, Releaser<GENERAL_NAMES_free>>;
using ExtensionHandle = std::unique_ptr<X509_EXTENSION, Releaser<X509_EXTENSION_free>>;

BioHandle reader(std::string_view text);
std::string contents(BIO* bio);
KeyHandle handle_of(const PrivateKey& key);
const EVP_MD* digest_for(const PrivateKey& key);  // what a signature by it is made over

// What `encode`, one of the i2d functions, makes of `object`; empty when it fails.
template <class Object>
std::string der_of(const Object* object, int (*encode)(const Object*, unsigned char**)) {
  unsigned char* bytes = nullptr;
  const int size = encode(object, &bytes);
  std::string der;
  if (size > 0) der.assign(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  OPENSSL_free(bytes);
  return der;
}

// "DNS:a,IP:b" as the library's own configuration language has it. Every name is checked first,
// so that none can smuggle in a comma.
Result<std::string> alternative_names(const std::vector<std::string>& names);

}  // namespace tapal::crypto::x509
