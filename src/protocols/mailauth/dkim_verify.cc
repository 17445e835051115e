#include "protocols/mailauth/dkim_verify.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "protocols/mailauth/signed_header.h"
#include "values/text/ascii.h"
#include "values/text/idna.h"

namespace tapal::mailauth {
namespace {

DkimResult result_of(DkimFinding finding) {
  DkimResult result;
  result.verdict = finding.verdict;
  result.reason = std::move(finding.reason);
  return result;
}

void settle(DkimResult& result, DkimFinding finding) {
  result.verdict = finding.verdict;
  result.reason = std::move(finding.reason);
}

}  // namespace

std::string_view dkim_verdict_text(DkimVerdict verdict) {
  switch (verdict) {
    case DkimVerdict::none: return "none";
    case DkimVerdict::pass: return "pass";
    case DkimVerdict::fail: return "fail";
    case DkimVerdict::policy: return "policy";
    case DkimVerdict::neutral: return "neutral";
    case DkimVerdict::temperror: return "temperror";
    case DkimVerdict::permerror: return "permerror";
  }
  return "permerror";
}

DkimVerdict overall_verdict(std::span<const DkimResult> results) {
  if (results.empty()) return DkimVerdict::none;
  const bool passed = std::ranges::any_of(
      results, [](const DkimResult& result) { return result.verdict == DkimVerdict::pass; });
  return passed ? DkimVerdict::pass : results.front().verdict;
}

DkimFinding compare_body(const DkimSignature& signature, const BodyHashes& hashes) {
  const std::uint64_t total = hashes.total(signature.body_form);
  const std::uint64_t length = signature.body_length.value_or(whole_body);
  if (signature.body_length && length > total) {
    return {DkimVerdict::permerror, "l= is longer than the body"};
  }
  if (crypto::bytes_of(hashes.digest(signature.body_form, length)) != signature.body_hash) {
    return {DkimVerdict::fail, "the body has changed"};
  }
  if (length < total) {
    return {DkimVerdict::neutral,
            fmt::format("l= leaves {} bytes of the body unsigned", total - length)};
  }
  return {};
}

DkimFinding compare_time(const DkimSignature& signature,
                         WallTime now,
                         std::chrono::seconds future_max) {
  if (signature.expires_at && *signature.expires_at < now) {
    return {DkimVerdict::fail, "the signature has expired (x=)"};
  }
  if (signature.signed_at && *signature.signed_at > now + future_max) {
    return {DkimVerdict::policy, "signed in the future (t=)"};
  }
  return {};
}

DkimVerifier::DkimVerifier(SignedMessage& message, DkimLimits limits)
    : message_(&message), limits_(limits) {
  if (!message.why_unchecked().empty()) {
    candidates_.push_back({result_of({DkimVerdict::policy, message.why_unchecked()}), {}});
    return;
  }
  const auto& signatures = message.fields().instances(dkim_field_name);
  const std::size_t checked = std::min(signatures.size(), limits_.signatures_max);
  for (std::size_t i = 0; i < checked; ++i) candidates_.push_back(read(*signatures[i]));
  if (checked < signatures.size()) {
    auto more = fmt::format("{} more signatures were not checked", signatures.size() - checked);
    candidates_.push_back({result_of({DkimVerdict::policy, std::move(more)}), {}});
  }
}

DkimVerifier::Candidate DkimVerifier::read(const RawField& field) {
  Candidate candidate;
  DkimResult& result = candidate.result;
  const auto tags = field_tags(field);
  if (!tags) {
    settle(result, {DkimVerdict::permerror, "malformed signature: " + tags.error().what});
    return candidate;
  }
  result.domain = text::printable(tags->value("d"), text::domain_bytes_max);
  result.selector = text::printable(tags->value("s"), text::domain_bytes_max);
  result.algorithm = text::printable(tags->value("a"), 40);
  auto signature = DkimSignature::from_tags(*tags);
  if (!signature) {
    settle(result, {DkimVerdict::permerror, "malformed signature: " + signature.error().what});
    return candidate;
  }
  result.domain = signature->domain;
  result.selector = signature->selector;
  result.algorithm = dkim_algorithm_text(signature->algorithm);
  result.identity = text::printable(signature->identity);
  result.signed_fields = signature->signed_fields;
  candidate.header_digest =
      signed_header_digest(*signature, message_->fields(), field, *tags->find("b"));
  candidate.key = message_->keys().want(signature->key_name());
  message_->body().want(signature->body_form, signature->body_length.value_or(whole_body));
  candidate.signature = *std::move(signature);
  return candidate;
}

void DkimVerifier::judge(Candidate& candidate, WallTime now) {
  if (!candidate.signature) return;
  const DkimSignature& signature = *candidate.signature;
  DkimResult& result = candidate.result;
  settle(result, compare_time(signature, now, limits_.future_max));
  if (result.verdict != DkimVerdict::pass) return;
  auto choice = message_->keys().choose(candidate.key, signature);
  if (choice.keys.empty()) {
    const auto verdict = choice.temporary ? DkimVerdict::temperror : DkimVerdict::permerror;
    settle(result, {verdict, std::move(choice.why_none)});
    return;
  }
  settle(result, compare_body(signature, message_->body()));
  result.body_length_limited = result.verdict == DkimVerdict::neutral;
  const bool body_good = result.verdict == DkimVerdict::pass || result.body_length_limited;
  const UsableKey* maker =
      body_good ? choice.maker_of(candidate.header_digest, signature.signature) : nullptr;
  const UsableKey& told = maker == nullptr ? choice.keys.front() : *maker;
  result.key_bits = told.key.bits();
  result.key_testing = told.testing;
  if (body_good && maker == nullptr) {
    settle(result, {DkimVerdict::fail, "the signature does not fit header and key"});
  }
}

std::vector<DkimResult> DkimVerifier::results(WallTime now) {
  message_->body().finish();
  std::vector<DkimResult> results;
  for (Candidate& candidate : candidates_) {
    judge(candidate, now);
    results.push_back(std::move(candidate.result));
  }
  return results;
}

}  // namespace tapal::mailauth
