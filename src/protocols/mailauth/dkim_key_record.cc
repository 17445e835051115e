#include "protocols/mailauth/dkim_key_record.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "protocols/mailauth/tag_list.h"
#include "values/text/ascii.h"
#include "values/text/base64.h"

namespace tapal::mailauth {
namespace {

std::vector<std::string> lower_list(std::string_view value) {
  std::vector<std::string> parts;
  for (const std::string_view part : colon_list(value)) {
    if (!part.empty()) parts.push_back(text::to_lower(part));
  }
  return parts;
}

bool has(const std::vector<std::string>& list, std::string_view entry) {
  return std::ranges::find(list, entry) != list.end();
}

}  // namespace

Result<DkimKeyRecord> DkimKeyRecord::parse(std::string_view text) {
  TAPAL_TRY(const TagList tags, TagList::parse(text));
  if (const Tag* version = tags.find("v"); version != nullptr) {
    if (version != tags.tags().data()) return fail(Code::invalid, "v= is not the first tag");
    if (version->value != "DKIM1") return fail(Code::invalid, "v= is not DKIM1");
  }
  const Tag* key = tags.find("p");
  if (key == nullptr) return fail(Code::invalid, "no p= tag");
  auto bytes = from_base64_value(key->value);
  if (!bytes) return fail(Code::invalid, "p= is not base64");

  DkimKeyRecord record;
  record.key = *std::move(bytes);
  if (const Tag* type = tags.find("k"); type != nullptr) {
    record.key_type = text::to_lower(type->value);
  }
  // An h= or s= that is there but empty allows nothing; keep that apart from an absent one.
  if (const Tag* hashes = tags.find("h"); hashes != nullptr) {
    record.hashes = lower_list(hashes->value);
    if (record.hashes.empty()) return fail(Code::invalid, "an empty h= tag");
  }
  if (const Tag* services = tags.find("s"); services != nullptr) {
    record.services = lower_list(services->value);
    if (record.services.empty()) return fail(Code::invalid, "an empty s= tag");
  }
  record.notes = tags.value("n");
  for (const std::string_view flag : colon_list(tags.value("t"))) {
    record.testing = record.testing || flag == "y";
    record.strict_identity = record.strict_identity || flag == "s";
  }
  return record;
}

Result<DkimKeyRecord> DkimKeyRecord::for_key(const crypto::PrivateKey& key) {
  DkimKeyRecord record;
  switch (key.kind()) {
    case crypto::KeyKind::rsa: record.key = key.public_key_der(); return record;
    case crypto::KeyKind::ed25519:
      record.key_type = "ed25519";
      record.key = key.ed25519_public_bytes();
      return record;
    case crypto::KeyKind::ec_p256: break;
  }
  return fail(Code::invalid, "DKIM signs with RSA and Ed25519 keys only (RFC 8463)");
}

bool DkimKeyRecord::allows_hash(std::string_view name) const {
  return hashes.empty() || has(hashes, name);
}

bool DkimKeyRecord::allows_service(std::string_view name) const {
  return services.empty() || has(services, "*") || has(services, name);
}

Result<crypto::PublicKey> DkimKeyRecord::public_key() const {
  if (revoked()) return fail(Code::invalid, "the key is revoked");
  if (key_type == "ed25519") return crypto::PublicKey::from_ed25519(key);
  if (key_type != "rsa") {
    return fail(Code::invalid, fmt::format("unknown key type k={}", text::printable(key_type, 40)));
  }
  TAPAL_TRY(auto public_key, crypto::PublicKey::from_der(key));
  if (public_key.kind() != crypto::KeyKind::rsa) {
    return fail(Code::invalid, "k=rsa, but p= is another kind of key");
  }
  return public_key;
}

std::string DkimKeyRecord::text() const {
  std::string text = fmt::format("v=DKIM1; k={};", key_type);
  if (!hashes.empty()) text += fmt::format(" h={};", fmt::join(hashes, ":"));
  if (!services.empty()) text += fmt::format(" s={};", fmt::join(services, ":"));
  if (testing || strict_identity) {
    text += fmt::format(" t={}{}{};",
                        testing ? "y" : "",
                        testing && strict_identity ? ":" : "",
                        strict_identity ? "s" : "");
  }
  if (!notes.empty()) text += fmt::format(" n={};", notes);
  return text + " p=" + text::to_base64(key);
}

}  // namespace tapal::mailauth
