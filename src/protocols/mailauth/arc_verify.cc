#include "protocols/mailauth/arc_verify.h"

#include <algorithm>
#include <ranges>
#include <utility>

#include <fmt/format.h>

#include "protocols/mailauth/arc_seal_digest.h"
#include "protocols/mailauth/dkim_verify.h"
#include "protocols/mailauth/signed_header.h"

namespace tapal::mailauth {
namespace {

ArcHop hop_of(const ArcSet& set) {
  ArcHop hop{.instance = set.instance, .domain = {}, .selector = {}, .results = set.results};
  if (set.seal) {
    hop.domain = set.seal->signature.domain;
    hop.selector = set.seal->signature.selector;
    hop.chain = set.seal->chain;
  }
  return hop;
}

}  // namespace

ArcVerifier::ArcVerifier(SignedMessage& message, ArcLimits limits)
    : message_(&message), limits_(limits), chain_(read_arc_chain(message.fields())) {
  if (!chain_.trouble.empty() || chain_.sets.empty()) return;
  KeyLookups& keys = message.keys();
  keys.want(chain_.sets.back().message_signature->key_name());
  for (const ArcSet& set : chain_.sets) keys.want(set.seal->signature.key_name());
  checkable_from_ = chain_.sets.size();
  for (const ArcSet& set : chain_.sets | std::views::reverse) {
    const auto& signature = set.message_signature;
    if (!signature || !keys.find(signature->key_name())) break;
    message.body().want(signature->body_form, signature->body_length.value_or(whole_body));
    --checkable_from_;
  }
}

ArcResult ArcVerifier::result(WallTime now) const {
  ArcResult result;
  for (const ArcSet& set : chain_.sets) result.hops.push_back(hop_of(set));
  if (!message_->why_unchecked().empty()) {
    result.status = ArcStatus::fail;
    result.reason = message_->why_unchecked();
    return result;
  }
  if (chain_.absent()) return result;
  message_->body().finish();
  result.reason = chain_.trouble;
  if (result.reason.empty()) result.reason = trouble_of_message(chain_.sets.back(), now);
  if (result.reason.empty()) result.reason = trouble_of_seals(now);
  result.status = result.reason.empty() ? ArcStatus::pass : ArcStatus::fail;
  if (result.status == ArcStatus::fail) return result;
  for (std::size_t i = chain_.sets.size() - 1; i-- > 0;) {
    if (i >= checkable_from_ && trouble_of_message(chain_.sets[i], now).empty()) continue;
    result.oldest_pass = chain_.sets[i].instance + 1;
    break;
  }
  return result;
}

std::string ArcVerifier::trouble_of_message(const ArcSet& set, WallTime now) const {
  const DkimSignature& signature = *set.message_signature;
  const auto told = [&set](std::string_view what) {
    return fmt::format("{} with i={}: {}", arc_message_field_name, set.instance, what);
  };
  if (const auto trouble = trouble_of_time(signature, now); !trouble.empty()) return told(trouble);
  // l= that leaves text uncovered lets anybody add to the message: it vouches for nothing.
  const auto body = compare_body(signature, message_->body());
  if (body.verdict != DkimVerdict::pass) return told(body.reason);
  const auto tags = field_tags(*set.message_field);
  const auto digest =
      signed_header_digest(signature, message_->fields(), *set.message_field, *tags->find("b"));
  if (const auto trouble = trouble_of_key(signature, digest); !trouble.empty()) {
    return told(trouble);
  }
  return {};
}

std::string ArcVerifier::trouble_of_seals(WallTime now) const {
  std::vector<crypto::Digest> digests;
  digests.reserve(chain_.sets.size());
  ArcSealDigest digest;
  for (const ArcSet& set : chain_.sets) {
    digests.push_back(digest.add(*set.results_field, *set.message_field, *set.seal_field));
  }
  for (std::size_t i = chain_.sets.size(); i-- > 0;) {
    const DkimSignature& signature = chain_.sets[i].seal->signature;
    auto trouble = trouble_of_time(signature, now);
    if (trouble.empty()) trouble = trouble_of_key(signature, digests[i]);
    if (!trouble.empty()) {
      return fmt::format("{} with i={}: {}", arc_seal_field_name, chain_.sets[i].instance, trouble);
    }
  }
  return {};
}

std::string ArcVerifier::trouble_of_time(const DkimSignature& signature, WallTime now) const {
  return compare_time(signature, now, limits_.future_max).reason;
}

std::string ArcVerifier::trouble_of_key(const DkimSignature& signature,
                                        const crypto::Digest& digest) const {
  const KeyLookups& keys = message_->keys();
  const auto asked = keys.find(signature.key_name());
  if (!asked) return "its key was not asked for";
  const auto choice = keys.choose(*asked, signature);
  if (choice.keys.empty()) return choice.why_none;
  if (choice.maker_of(digest, signature.signature) == nullptr) {
    return "the signature does not fit header and key";
  }
  return {};
}

}  // namespace tapal::mailauth
