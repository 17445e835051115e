#include "drivers/net/tls_certificate.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include "drivers/net/tls_context.h"

namespace tapal::tls {
namespace {

Error certificate_error(const ServedCertificate& certificate, std::string_view what) {
  return {Code::invalid, certificate.origin + ": " + std::string(what)};
}

Result<void> use_chain(SSL_CTX* context, const ServedCertificate& certificate) {
  const BioPtr bio(BIO_new_mem_buf(certificate.chain_pem.data(),
                                   static_cast<int>(certificate.chain_pem.size())));
  const CertificatePtr leaf(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  if (!leaf)
    return std::unexpected(certificate_error(certificate, "holds no certificate in PEM form"));
  if (X509_cmp_current_time(X509_get0_notAfter(leaf.get())) < 0)
    return std::unexpected(certificate_error(certificate, "the certificate has expired; renew it"));
  if (X509_cmp_current_time(X509_get0_notBefore(leaf.get())) > 0)
    return std::unexpected(
        certificate_error(certificate, "the certificate is not valid yet; is the clock right?"));
  if (SSL_CTX_use_certificate(context, leaf.get()) != 1)
    return std::unexpected(certificate_error(certificate, "cannot be used: " + last_error()));
  while (CertificatePtr issuer{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)})
    if (SSL_CTX_add1_chain_cert(context, issuer.get()) != 1)
      return std::unexpected(
          certificate_error(certificate, "a certificate of the chain cannot be used"));
  ERR_clear_error();  // the end of the file
  return {};
}

Result<void> use_key(SSL_CTX* context, const ServedCertificate& certificate) {
  const BioPtr bio(
      BIO_new_mem_buf(certificate.key_pem.data(), static_cast<int>(certificate.key_pem.size())));
  const auto no_password = [](char*, int, int, void*) { return -1; };
  const KeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr));
  if (!key)
    return std::unexpected(
        certificate_error(certificate, "its private key cannot be read as unencrypted PEM"));
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1 || SSL_CTX_check_private_key(context) != 1)
    return std::unexpected(
        certificate_error(certificate, "the private key does not belong to this certificate"));
  return {};
}

}  // namespace

Result<void> use_certificate(SSL_CTX* context, const ServedCertificate& certificate) {
  TAPAL_CHECK(use_chain(context, certificate));
  return use_key(context, certificate);
}

}  // namespace tapal::tls
