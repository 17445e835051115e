#include "rules/provision/key_sight.h"

#include <algorithm>
#include <variant>

namespace tapal::provision {
namespace {

using Status = dns::LookupReply::Status;

}  // namespace

KeySight key_sight(const crypto::PrivateKey& key, const dns::LookupReply& reply) {
  if (reply.status == Status::failed || reply.status == Status::impossible)
    return KeySight::unknown;
  if (reply.status != Status::found || reply.records.empty()) return KeySight::absent;
  const auto* text = std::get_if<dns::Text>(&reply.records.front().data);
  if (text == nullptr || reply.records.size() > 1) return KeySight::other;
  const auto record = mailauth::DkimKeyRecord::parse(text->value);
  if (!record) return KeySight::other;
  if (record->revoked()) return KeySight::revoked;
  if (!record->allows_hash("sha256") || !record->allows_service("email")) return KeySight::other;
  const auto published = record->public_key();
  // Some publish RSA keys without their wrapping: what counts is that it checks what ours signs.
  const auto probe = crypto::sha256("tapal");
  const auto signature = key.sign(probe);
  if (!published || !signature) return KeySight::other;
  return published->kind() == key.kind() && published->verify(probe, *signature) ? KeySight::ours
                                                                                 : KeySight::other;
}

KeySight common_sight(std::span<const KeySight> sights) {
  if (sights.empty()) return KeySight::unknown;
  const auto first = sights.front();
  return std::ranges::all_of(sights, [first](KeySight sight) { return sight == first; })
             ? first
             : KeySight::unknown;
}

}  // namespace tapal::provision
