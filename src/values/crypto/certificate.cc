#include "values/crypto/certificate.h"

#include <algorithm>
#include <ctime>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/ip_address.h"
#include "values/crypto/x509_parts.h"
#include "values/text/ascii.h"
#include "values/text/hex.h"

namespace tapal::crypto {

using namespace x509;

namespace {

constexpr std::size_t common_name_bytes_max = 64;  // ub-common-name, RFC 5280 appendix A.1
constexpr std::size_t serial_bytes = 16;
constexpr const char* acme_identifier = "1.3.6.1.5.5.7.1.31";  // RFC 8737 section 6.1

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

std::string address_text(std::string_view bytes) {
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
    if (entry->type == GEN_DNS) name = text::to_lower(contents(entry->d.dNSName));
    if (entry->type == GEN_IPADD) name = address_text(contents(entry->d.iPAddress));
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
  return der_of(X509_get_X509_PUBKEY(certificate), &i2d_X509_PUBKEY);
}

// The value of an INTEGER as DER has it, with the zero byte that keeps it positive.
std::string serial_of(const X509* certificate) {
  const std::string der = der_of(X509_get0_serialNumber(certificate), &i2d_ASN1_INTEGER);
  const bool is_short = der.size() > 2 && static_cast<std::size_t>(der[1]) == der.size() - 2;
  return is_short ? der.substr(2) : std::string();
}

std::string authority_key_of(X509* certificate) {
  const ASN1_OCTET_STRING* id = X509_get0_authority_key_id(certificate);
  return id != nullptr ? std::string(contents(id)) : std::string();
}

bool add_extension(X509* certificate, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  X509V3_set_ctx_nodb(&context);
  const ExtensionHandle extension(X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

// RFC 8737 section 3: a critical extension that holds the hash as an OCTET STRING.
bool add_proof(X509* certificate, std::string_view proof) {
  const std::string value = "critical,DER:0420" + text::to_hex(proof);
  const ExtensionHandle extension(
      X509V3_EXT_nconf(nullptr, nullptr, acme_identifier, value.c_str()));
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

// `proof`: of a certificate that answers a challenge; else empty.
Result<std::string> sign_own(const std::vector<std::string>& names,
                             const PrivateKey& key,
                             Validity validity,
                             std::string_view proof) {
  if (validity.not_after <= validity.not_before) {
    return fail(Code::invalid, "a certificate must end after it begins");
  }
  TAPAL_TRY(const std::string list, alternative_names(names));
  const KeyHandle handle = handle_of(key);
  const Certificate certificate(X509_new());
  const BioHandle bio(BIO_new(BIO_s_mem()));
  const bool good =
      handle && certificate && bio && fill(certificate.get(), handle.get(), validity) &&
      name_it(certificate.get(), names.front()) && add_extensions(certificate.get(), list) &&
      (proof.empty() || add_proof(certificate.get(), proof)) &&
      X509_sign(certificate.get(), handle.get(), digest_for(key)) != 0 &&
      PEM_write_bio_X509(bio.get(), certificate.get()) == 1;
  ERR_clear_error();
  if (!good) return fail(Code::internal, "libcrypto cannot make a certificate");
  return contents(bio.get());
}

Result<CertificateFacts> facts_of(X509* certificate) {
  CertificateFacts facts;
  facts.names = names_of(certificate);
  facts.subject = one_line(X509_get_subject_name(certificate));
  facts.issuer = one_line(X509_get_issuer_name(certificate));
  TAPAL_TRY(facts.validity.not_before, wall_time(X509_get0_notBefore(certificate)));
  TAPAL_TRY(facts.validity.not_after, wall_time(X509_get0_notAfter(certificate)));
  facts.self_signed = X509_self_signed(certificate, 1) == 1;
  facts.sha256 = sha256(der_of(certificate, &i2d_X509));
  facts.key_sha256 = sha256(key_der(certificate));
  facts.serial = serial_of(certificate);
  facts.authority_key_id = authority_key_of(certificate);
  ERR_clear_error();
  return facts;
}

}  // namespace

Result<std::string> make_self_signed(const std::vector<std::string>& names,
                                     const PrivateKey& key,
                                     Validity validity) {
  return sign_own(names, key, validity, {});
}

Result<std::string> make_challenge_certificate(const std::string& name,
                                               const Digest& proof,
                                               const PrivateKey& key,
                                               Validity validity) {
  return sign_own({name}, key, validity, bytes_of(proof));
}

Result<CertificateFacts> read_certificate(std::string_view pem) {
  TAPAL_TRY(const Certificate certificate, first_certificate(pem));
  return facts_of(certificate.get());
}

Result<std::vector<CertificateFacts>> read_chain(std::string_view pem) {
  if (pem.size() > pem_bytes_max) return fail(Code::invalid, "a chain of too many bytes");
  std::vector<CertificateFacts> chain;
  const BioHandle bio = reader(pem);
  ERR_clear_error();
  while (const Certificate certificate{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)}) {
    if (chain.size() == chain_certificates_max)
      return fail(Code::invalid, "a chain of too many certificates");
    TAPAL_TRY(auto facts, facts_of(certificate.get()));
    chain.push_back(std::move(facts));
  }
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (chain.empty()) return fail(Code::invalid, "no certificate in PEM form");
  if (!at_end) return fail(Code::invalid, "a damaged certificate in the chain");
  for (std::size_t i = 1; i < chain.size(); ++i)
    if (chain[i - 1].issuer != chain[i].subject)
      return fail(
          Code::invalid,
          "the chain is not one: " + chain[i].subject + " did not sign the certificate before it");
  return chain;
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
