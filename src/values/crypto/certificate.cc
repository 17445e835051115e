#include "values/crypto/certificate.h"

#include <algorithm>
#include <ctime>
#include <memory>

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/ip_address.h"
#include "values/text/ascii.h"
#include "values/text/idna.h"

namespace tapal::crypto {
namespace {

template <auto Release>
struct Releaser {
  template <class Object>
  void operator()(Object* object) const {
    Release(object);
  }
};

using Certificate = std::unique_ptr<X509, Releaser<X509_free>>;
using BioHandle = std::unique_ptr<BIO, Releaser<BIO_free>>;
using KeyHandle = std::unique_ptr<EVP_PKEY, Releaser<EVP_PKEY_free>>;
using AlternativeNames = std::unique_ptr<GENERAL_NAMES, Releaser<GENERAL_NAMES_free>>;
using ExtensionHandle = std::unique_ptr<X509_EXTENSION, Releaser<X509_EXTENSION_free>>;

constexpr std::size_t common_name_bytes_max = 64;  // ub-common-name, RFC 5280 appendix A.1
constexpr std::size_t serial_bytes = 16;

const unsigned char* unsigned_bytes(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

int int_size(std::string_view bytes) { return static_cast<int>(bytes.size()); }

BioHandle reader(std::string_view text) {
  return BioHandle(BIO_new_mem_buf(text.data(), int_size(text)));
}

std::string contents(BIO* bio) {
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio, &text);
  return {text, static_cast<std::size_t>(size)};
}

std::string one_line(const X509_NAME* name) {
  const BioHandle bio(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_ONELINE & ~XN_FLAG_SPC_EQ & ~ASN1_STRFLGS_ESC_MSB);
  return contents(bio.get());
}

Result<WallTime> wall_time(const ASN1_TIME* time) {
  std::tm fields{};
  if (ASN1_TIME_to_tm(time, &fields) != 1) {
    return fail(Code::invalid, "a certificate with a malformed date");
  }
  return WallTime(std::chrono::seconds(timegm(&fields)));
}

std::string bytes_of(const ASN1_STRING* string) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
          static_cast<std::size_t>(ASN1_STRING_length(string))};
}

std::string address_text(const std::string& bytes) {
  IpAddress address;
  if (bytes.size() == 4) {
    std::array<std::uint8_t, 4> octets{};
    std::ranges::transform(
        bytes, octets.begin(), [](char byte) { return static_cast<std::uint8_t>(byte); });
    return IpAddress::v4(octets).text();
  }
  if (bytes.size() != address.bytes.size()) return {};
  std::ranges::transform(
      bytes, address.bytes.begin(), [](char byte) { return static_cast<std::uint8_t>(byte); });
  return address.text();
}

std::vector<std::string> names_of(const X509* certificate) {
  const AlternativeNames list(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  std::vector<std::string> names;
  for (int i = 0; list && i < sk_GENERAL_NAME_num(list.get()); ++i) {
    const GENERAL_NAME* entry = sk_GENERAL_NAME_value(list.get(), i);
    std::string name;
    if (entry->type == GEN_DNS) name = text::to_lower(bytes_of(entry->d.dNSName));
    if (entry->type == GEN_IPADD) name = address_text(bytes_of(entry->d.iPAddress));
    if (!name.empty()) names.push_back(text::printable(name));
    if (names.size() == certificate_names_max) break;
  }
  return names;
}

Result<Certificate> first_certificate(std::string_view pem) {
  if (pem.size() > pem_bytes_max)
    return fail(Code::invalid, "a certificate file of too many bytes");
  ERR_clear_error();
  const BioHandle bio = reader(pem);
  Certificate certificate(bio ? PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr) : nullptr);
  ERR_clear_error();
  if (!certificate) {
    return fail(Code::invalid,
                pem.contains("-----BEGIN CERTIFICATE")
                    ? "a damaged certificate"
                    : "not a certificate in PEM form (no \"-----BEGIN CERTIFICATE-----\")");
  }
  return certificate;
}

std::string key_der(const X509* certificate) {
  unsigned char* bytes = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &bytes);
  std::string der;
  if (size > 0) der.assign(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  OPENSSL_free(bytes);
  return der;
}

// "DNS:a,IP:b" as the library's own configuration language has it. Every name is checked first,
// so that none can smuggle in a comma.
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

bool add_extension(X509* certificate, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  X509V3_set_ctx_nodb(&context);
  const ExtensionHandle extension(X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool fill(X509* certificate, EVP_PKEY* key, Validity validity) {
  using std::chrono::system_clock;
  const std::string serial = '\x01' + random_bytes(serial_bytes);  // never negative nor zero
  const std::unique_ptr<BIGNUM, Releaser<BN_free>> number(
      BN_bin2bn(unsigned_bytes(serial), int_size(serial), nullptr));
  return number && X509_set_version(certificate, X509_VERSION_3) == 1 &&
         BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr &&
         ASN1_TIME_set(X509_getm_notBefore(certificate),
                       system_clock::to_time_t(validity.not_before)) != nullptr &&
         ASN1_TIME_set(X509_getm_notAfter(certificate),
                       system_clock::to_time_t(validity.not_after)) != nullptr &&
         X509_set_pubkey(certificate, key) == 1;
}

// Subject and issuer are the same name; without a common name that fits it stays empty.
bool name_it(X509* certificate, const std::string& common_name) {
  X509_NAME* name = X509_get_subject_name(certificate);
  if (common_name.size() <= common_name_bytes_max &&
      X509_NAME_add_entry_by_NID(name,
                                 NID_commonName,
                                 MBSTRING_UTF8,
                                 unsigned_bytes(common_name),
                                 int_size(common_name),
                                 -1,
                                 0) != 1) {
    return false;
  }
  return X509_set_issuer_name(certificate, name) == 1;
}

bool add_extensions(X509* certificate, const std::string& names) {
  return add_extension(certificate, NID_subject_alt_name, names) &&
         add_extension(certificate, NID_basic_constraints, "critical,CA:FALSE") &&
         add_extension(certificate, NID_key_usage, "critical,digitalSignature") &&
         add_extension(certificate, NID_ext_key_usage, "serverAuth") &&
         add_extension(certificate, NID_subject_key_identifier, "hash");
}

}  // namespace

Result<std::string> make_self_signed(const std::vector<std::string>& names,
                                     const PrivateKey& key,
                                     Validity validity) {
  if (validity.not_after <= validity.not_before) {
    return fail(Code::invalid, "a certificate must end after it begins");
  }
  TAPAL_TRY(const std::string list, alternative_names(names));
  std::string pem = key.to_pem();
  const KeyHandle handle(PEM_read_bio_PrivateKey(reader(pem).get(), nullptr, nullptr, nullptr));
  wipe(pem);
  const Certificate certificate(X509_new());
  const EVP_MD* digest = key.kind() == KeyKind::ed25519 ? nullptr : EVP_sha256();
  const BioHandle bio(BIO_new(BIO_s_mem()));
  const bool good =
      handle && certificate && bio && fill(certificate.get(), handle.get(), validity) &&
      name_it(certificate.get(), names.front()) && add_extensions(certificate.get(), list) &&
      X509_sign(certificate.get(), handle.get(), digest) != 0 &&
      PEM_write_bio_X509(bio.get(), certificate.get()) == 1;
  ERR_clear_error();
  if (!good) return fail(Code::internal, "libcrypto cannot make a certificate");
  return contents(bio.get());
}

Result<CertificateFacts> read_certificate(std::string_view pem) {
  TAPAL_TRY(const Certificate certificate, first_certificate(pem));
  CertificateFacts facts;
  facts.names = names_of(certificate.get());
  facts.subject = one_line(X509_get_subject_name(certificate.get()));
  facts.issuer = one_line(X509_get_issuer_name(certificate.get()));
  TAPAL_TRY(facts.validity.not_before, wall_time(X509_get0_notBefore(certificate.get())));
  TAPAL_TRY(facts.validity.not_after, wall_time(X509_get0_notAfter(certificate.get())));
  facts.self_signed = X509_self_signed(certificate.get(), 1) == 1;
  unsigned size = 0;
  if (X509_digest(certificate.get(), EVP_sha256(), facts.sha256.data(), &size) != 1) {
    return fail(Code::internal, "libcrypto cannot hash a certificate");
  }
  facts.key_sha256 = sha256(key_der(certificate.get()));
  ERR_clear_error();
  return facts;
}

bool covers(const CertificateFacts& certificate, std::string_view host) {
  const std::size_t dot = host.find('.');
  const auto stands_for_it = [&](std::string_view name) {
    return name == host || (name.starts_with("*.") && dot != host.npos && dot > 0 &&
                            name.substr(1) == host.substr(dot));
  };
  return std::ranges::any_of(certificate.names, stands_for_it);
}

bool certificate_fits(std::string_view pem, const PrivateKey& key) {
  const auto certificate = first_certificate(pem);
  return certificate && key_der(certificate->get()) == key.public_key_der();
}

}  // namespace tapal::crypto
