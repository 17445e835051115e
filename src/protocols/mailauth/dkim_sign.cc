#include "protocols/mailauth/dkim_sign.h"

#include <array>

#include <fmt/format.h>

#include "protocols/mailauth/dkim_signature.h"
#include "protocols/mailauth/domain_name.h"
#include "values/mail/header.h"

namespace tapal::mailauth {
namespace {

constexpr std::array<std::string_view, 12> oversigned_fields = {"From",
                                                                "Subject",
                                                                "Date",
                                                                "To",
                                                                "Cc",
                                                                "Reply-To",
                                                                "Message-ID",
                                                                "MIME-Version",
                                                                "Content-Type",
                                                                "Content-Transfer-Encoding",
                                                                "List-Unsubscribe",
                                                                "List-Unsubscribe-Post"};

// What RFC 6376 section 5.4.1 recommends beyond those; trace fields change on the way and stay out.
constexpr std::array<std::string_view, 20> other_signed_fields = {"Sender",
                                                                  "In-Reply-To",
                                                                  "References",
                                                                  "Content-ID",
                                                                  "Content-Description",
                                                                  "Content-Disposition",
                                                                  "Resent-Date",
                                                                  "Resent-From",
                                                                  "Resent-Sender",
                                                                  "Resent-To",
                                                                  "Resent-Cc",
                                                                  "Resent-Message-ID",
                                                                  "List-Id",
                                                                  "List-Help",
                                                                  "List-Subscribe",
                                                                  "List-Post",
                                                                  "List-Owner",
                                                                  "List-Archive",
                                                                  "Feedback-ID",
                                                                  "Autocrypt"};

std::chrono::sys_seconds whole_seconds(WallTime time) {
  return std::chrono::floor<std::chrono::seconds>(time);
}

void append_times(std::vector<std::string>& list, std::string_view name, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) list.emplace_back(name);
}

std::vector<std::string> signed_fields_of(const FieldIndex& index) {
  std::vector<std::string> list;
  for (const std::string_view name : oversigned_fields) {
    append_times(list, name, index.instances(name).size() + 1);
  }
  for (const std::string_view name : other_signed_fields) {
    append_times(list, name, index.instances(name).size());
  }
  return list;
}

}  // namespace

Result<DkimAlgorithm> dkim_algorithm_for(const crypto::PrivateKey& key) {
  switch (key.kind()) {
    case crypto::KeyKind::rsa: return DkimAlgorithm::rsa_sha256;
    case crypto::KeyKind::ed25519: return DkimAlgorithm::ed25519_sha256;
    case crypto::KeyKind::ec_p256: break;
  }
  return fail(Code::invalid, "DKIM signs with RSA and Ed25519 keys only (RFC 8463)");
}

crypto::Digest DkimBodyHasher::finish() {
  canonicalizer_.finish(*this);
  return hash_.finish();
}

std::vector<std::string> dkim_signed_fields(const std::vector<RawField>& fields) {
  return signed_fields_of(FieldIndex(fields));
}

Result<std::string> dkim_sign(const DkimSigner& signer,
                              std::string_view header_block,
                              const crypto::Digest& body_hash,
                              const DkimSignTimes& times) {
  const std::vector<RawField> fields = split_header_block(header_block);
  const FieldIndex index(fields);
  if (index.instances("From").empty()) return fail(Code::invalid, "no From field to sign");

  DkimSignature signature;
  TAPAL_TRY(signature.algorithm, dkim_algorithm_for(*signer.key));
  signature.header_form = Canonicalization::relaxed;
  signature.body_form = Canonicalization::relaxed;
  TAPAL_TRY(signature.domain, comparable_name(signer.domain));
  TAPAL_TRY(signature.selector, comparable_name(signer.selector));
  TAPAL_CHECK(comparable_name(signature.key_name()));
  signature.signed_fields = signed_fields_of(index);
  if (signature.signed_fields.size() > dkim_signed_fields_max) {
    return fail(Code::invalid,
                fmt::format("more than {} header fields to sign", dkim_signed_fields_max));
  }
  signature.body_hash = crypto::bytes_of(body_hash);
  signature.signed_at = whole_seconds(times.now);
  if (times.expires) signature.expires_at = whole_seconds(*times.expires);
  if (signature.expires_at && *signature.expires_at <= *signature.signed_at) {
    return fail(Code::invalid, "a signature must expire after it is made");
  }

  std::string canonical;
  FieldPicker picker(index);
  for (const std::string& name : signature.signed_fields) {
    if (const RawField* field = picker.pick(name); field != nullptr) {
      append_canonical_field(canonical, field->raw, Canonicalization::relaxed);
      canonical += "\r\n";
    }
  }
  append_canonical_field(canonical, signature.field(), Canonicalization::relaxed);
  TAPAL_TRY(signature.signature, signer.key->sign(crypto::sha256(canonical)));
  return signature.field() + "\r\n";
}

Result<std::string> dkim_sign_message(const std::vector<DkimSigner>& signers,
                                      std::string_view message,
                                      const DkimSignTimes& times) {
  const auto end = mail::header_end(message).value_or(message.size());
  DkimBodyHasher hasher;
  hasher.update(message.substr(end));
  const auto body_hash = hasher.finish();
  std::string fields;
  for (const auto& signer : signers) {
    TAPAL_TRY(const auto field, dkim_sign(signer, message.substr(0, end), body_hash, times));
    fields += field;
  }
  return fields;
}

}  // namespace tapal::mailauth
