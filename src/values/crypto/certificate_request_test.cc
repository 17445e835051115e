#include "values/crypto/certificate_request.h"

#include <gtest/gtest.h>
#include <openssl/x509v3.h>

#include "values/crypto/test_keys.h"
#include "values/crypto/x509_parts.h"

namespace tapal::crypto {
namespace {

using namespace x509;

Request read(const std::string& der) {
  const auto* at = unsigned_bytes(der);
  return Request(d2i_X509_REQ(nullptr, &at, static_cast<long>(der.size())));
}

TEST(CertificateRequest, holds_its_names_as_alternative_names_alone) {
  for (const char* pem : {test_keys::ec_p256, test_keys::ed25519, test_keys::rsa_1024}) {
    const auto key = PrivateKey::from_pem(pem);
    const auto der = make_certificate_request({"example.com", "*.example.com", "192.0.2.1"}, *key);
    ASSERT_TRUE(der) << der.error().what;
    const auto request = read(*der);
    ASSERT_TRUE(request);
    EXPECT_EQ(X509_REQ_verify(request.get(), handle_of(*key).get()), 1);
    EXPECT_EQ(X509_NAME_entry_count(X509_REQ_get_subject_name(request.get())), 0);
    auto* extensions = X509_REQ_get_extensions(request.get());
    const BioHandle out(BIO_new(BIO_s_mem()));
    X509V3_extensions_print(out.get(), nullptr, extensions, 0, 0);
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
    EXPECT_EQ(contents(out.get()),
              "X509v3 Subject Alternative Name: \n"
              "    DNS:example.com, DNS:*.example.com, IP Address:192.0.2.1\n");
  }
}

TEST(CertificateRequest, takes_no_names_that_are_none) {
  const auto key = PrivateKey::generate_ec_p256();
  for (const std::vector<std::string>& names :
       std::vector<std::vector<std::string>>{{}, {""}, {"a.example,DNS:evil.example"}, {"*"}})
    EXPECT_FALSE(make_certificate_request(names, *key));
}

}  // namespace
}  // namespace tapal::crypto
