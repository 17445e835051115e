#include "values/crypto/x509_parts.h"

#include <fmt/format.h>
#include <openssl/pem.h>

#include "base/ip_address.h"
#include "values/crypto/certificate.h"
#include "values/crypto/hash.h"
#include "values/text/idna.h"

namespace tapal::crypto::x509 {

BioHandle reader(std::string_view text) {
  return BioHandle(BIO_new_mem_buf(text.data(), int_size(text)));
}

std::string contents(BIO* bio) {
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio, &text);
  return {text, static_cast<std::size_t>(size)};
}

KeyHandle handle_of(const PrivateKey& key) {
  std::string pem = key.to_pem();
  KeyHandle handle(PEM_read_bio_PrivateKey(reader(pem).get(), nullptr, nullptr, nullptr));
  wipe(pem);
  return handle;
}

const EVP_MD* digest_for(const PrivateKey& key) {
  return key.kind() == KeyKind::ed25519 ? nullptr : EVP_sha256();
}

Result<std::string> alternative_names(const std::vector<std::string>& names) {
  if (names.empty() || names.size() > certificate_names_max) {
    return fail(Code::invalid,
                fmt::format("a certificate has 1 to {} names", certificate_names_max));
  }
  std::string list;
  for (const std::string& name : names) {
    if (!list.empty()) list += ',';
    if (const auto address = IpAddress::from_text(name)) {
      list += "IP:" + address->text();
      continue;
    }
    const std::string_view host = std::string_view(name).substr(name.starts_with("*.") ? 2 : 0);
    TAPAL_CHECK(text::check_hostname(host));
    list += "DNS:" + name;
  }
  return list;
}

}  // namespace tapal::crypto::x509
