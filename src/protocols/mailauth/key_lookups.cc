#include "protocols/mailauth/key_lookups.h"

#include <algorithm>
#include <utility>

namespace tapal::mailauth {
namespace {

constexpr std::string_view hash_name = "sha256";
constexpr std::string_view service_name = "email";

// Whether this record may vouch for this signature.
Result<crypto::PublicKey> usable_key(const DkimKeyRecord& record, const DkimSignature& signature) {
  if (record.revoked()) return fail(Code::invalid, "key revoked");
  if (!record.allows_service(service_name)) {
    return fail(Code::invalid, "the key is not for mail (s=)");
  }
  if (!record.allows_hash(hash_name)) {
    return fail(Code::invalid, "the key does not allow sha256 (h=)");
  }
  if (record.strict_identity && signature.identity_domain() != signature.domain) {
    return fail(Code::invalid, "the key does not sign for subdomains (t=s)");
  }
  TAPAL_TRY(auto key, record.public_key());
  const bool fits =
      (key.kind() == crypto::KeyKind::rsa) == (signature.algorithm == DkimAlgorithm::rsa_sha256);
  if (!fits) return fail(Code::invalid, "the key is of another kind than a= says");
  return key;
}

Result<UsableKey> read_key(std::string_view text, const DkimSignature& signature) {
  const auto record = DkimKeyRecord::parse(text);
  if (!record) return fail(Code::invalid, "malformed key record: " + record.error().what);
  TAPAL_TRY(auto key, usable_key(*record, signature));
  return UsableKey{std::move(key), record->testing};
}

}  // namespace

const UsableKey* KeyChoice::maker_of(const crypto::Digest& digest,
                                     std::string_view signature) const {
  const auto found = std::ranges::find_if(
      keys, [&](const UsableKey& usable) { return usable.key.verify(digest, signature); });
  return found == keys.end() ? nullptr : &*found;
}

std::size_t KeyLookups::want(const std::string& name) {
  if (const auto known = find(name)) return *known;
  wanted_.push_back({name, {}});
  return wanted_.size() - 1;
}

std::optional<std::size_t> KeyLookups::find(std::string_view name) const {
  const auto found = std::ranges::find(wanted_, name, &Wanted::name);
  if (found == wanted_.end()) return {};
  return static_cast<std::size_t>(found - wanted_.begin());
}

std::optional<dns::Lookup> KeyLookups::next_lookup() const {
  if (answered_ == wanted_.size()) return {};
  return dns::Lookup{wanted_[answered_].name, dns::Type::txt};
}

void KeyLookups::on_reply(dns::LookupReply reply) {
  wanted_.at(answered_++).reply = std::move(reply);
}

KeyChoice KeyLookups::choose(std::size_t wanted, const DkimSignature& signature) const {
  using Status = dns::LookupReply::Status;
  const auto& [name, reply] = wanted_.at(wanted);
  KeyChoice choice;
  if (!reply || reply->status == Status::failed) {
    choice.why_none = "the key could not be looked up: " + name;
    choice.temporary = true;
    return choice;
  }
  std::size_t tried = 0;
  for (const dns::Record& record : reply->records) {
    const auto* text = std::get_if<dns::Text>(&record.data);
    if (text == nullptr || tried == records_max_) continue;
    ++tried;
    auto key = read_key(text->value, signature);
    if (key) {
      choice.keys.push_back(*std::move(key));
    } else if (choice.why_none.empty()) {
      choice.why_none = key.error().what;
    }
  }
  if (tried == 0) choice.why_none = "no key at " + name;
  return choice;
}

}  // namespace tapal::mailauth
