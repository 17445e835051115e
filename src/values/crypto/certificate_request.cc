#include "values/crypto/certificate_request.h"

#include <openssl/err.h>

#include "values/crypto/x509_parts.h"

namespace tapal::crypto {

using namespace x509;

namespace {

void free_extensions(STACK_OF(X509_EXTENSION) * extensions) {
  sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
}

bool add_names(X509_REQ* request, const std::string& names) {
  using Extensions = std::unique_ptr<STACK_OF(X509_EXTENSION), Releaser<free_extensions>>;
  const Extensions extensions(sk_X509_EXTENSION_new_null());
  ExtensionHandle extension(
      X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names.c_str()));
  if (!extensions || !extension || sk_X509_EXTENSION_push(extensions.get(), extension.get()) == 0)
    return false;
  static_cast<void>(extension.release());
  return X509_REQ_add_extensions(request, extensions.get()) == 1;
}

}  // namespace

Result<std::string> make_certificate_request(const std::vector<std::string>& names,
                                             const PrivateKey& key) {
  TAPAL_TRY(const std::string list, alternative_names(names));
  const KeyHandle handle = handle_of(key);
  const Request request(X509_REQ_new());
  const bool good =
      handle && request && X509_REQ_set_version(request.get(), X509_REQ_VERSION_1) == 1 &&
      X509_REQ_set_pubkey(request.get(), handle.get()) == 1 && add_names(request.get(), list) &&
      X509_REQ_sign(request.get(), handle.get(), digest_for(key)) != 0;
  std::string der = good ? der_of(request.get(), &i2d_X509_REQ) : std::string();
  ERR_clear_error();
  if (der.empty()) return fail(Code::internal, "libcrypto cannot make a certificate request");
  return der;
}

}  // namespace tapal::crypto
