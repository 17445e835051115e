#include "protocols/mailauth/dkim_verify.h"

#include <algorithm>
#include <array>
#include <limits>

#include <fmt/format.h>

#include "protocols/mailauth/header_block.h"
#include "values/crypto/hash.h"
#include "values/text/ascii.h"
#include "values/text/idna.h"

namespace tapal::mailauth {
namespace {

constexpr std::string_view signature_field_name = "DKIM-Signature";
constexpr std::string_view hash_name = "sha256";
constexpr std::string_view service_name = "email";
constexpr std::uint64_t unlimited = std::numeric_limits<std::uint64_t>::max();

// The hashes of one canonical form of the body: one for each length that some l= asks for.
class BodyHashes final : private BodySink {
 public:
  explicit BodyHashes(Canonicalization form) : canonicalizer_(form) {}

  void want(std::uint64_t length) {
    if (find(length) == nullptr) prefixes_.push_back({.length = length, .hash = {}, .digest = {}});
  }
  void update(std::string_view chunk) {
    if (!prefixes_.empty()) canonicalizer_.update(chunk, *this);
  }
  void finish() {
    canonicalizer_.finish(*this);
    for (Prefix& prefix : prefixes_) prefix.digest = prefix.hash.finish();
  }
  const crypto::Digest& digest(std::uint64_t length) const { return find(length)->digest; }
  std::uint64_t total() const { return total_; }

 private:
  struct Prefix {
    std::uint64_t length = unlimited;
    crypto::Sha256 hash;
    crypto::Digest digest{};
  };

  void write(std::string_view bytes) override {
    for (Prefix& prefix : prefixes_) {
      if (prefix.length > total_) {
        prefix.hash.update(bytes.substr(0, prefix.length - total_));
      }
    }
    total_ += bytes.size();
  }
  const Prefix* find(std::uint64_t length) const {
    const auto found = std::ranges::find(prefixes_, length, &Prefix::length);
    return found == prefixes_.end() ? nullptr : &*found;
  }

  BodyCanonicalizer canonicalizer_;
  std::vector<Prefix> prefixes_;
  std::uint64_t total_ = 0;
};

// One signature on its way to a result.
struct Candidate {
  DkimResult result;
  std::optional<DkimSignature> signature;  // nothing: the result stands already
  crypto::Digest header_digest{};
  std::size_t question = 0;
};

void settle(DkimResult& result, DkimVerdict verdict, std::string reason) {
  result.verdict = verdict;
  result.reason = std::move(reason);
}

std::string_view body_of(std::string_view raw_field) {
  return raw_field.substr(raw_field.find(':') + 1);
}

// RFC 6376 section 3.7: the fields of h=, then this one with b= emptied and without its CRLF.
crypto::Digest digest_header(const DkimSignature& signature,
                             const TagList& tags,
                             const FieldIndex& index,
                             const RawField& own) {
  std::string canonical;
  FieldPicker picker(index, &own);
  for (const std::string& name : signature.signed_fields) {
    if (const RawField* field = picker.pick(name); field != nullptr) {
      append_canonical_field(canonical, field->raw, signature.header_form);
      canonical += "\r\n";
    }
  }
  const std::size_t body_begin = own.raw.find(':') + 1;
  const Tag& value = *tags.find("b");
  std::string emptied(own.raw.substr(0, body_begin + value.begin));
  emptied += own.raw.substr(body_begin + value.end);
  append_canonical_field(canonical, emptied, signature.header_form);
  return crypto::sha256(canonical);
}

// False, with the verdict set, for a signature whose time has not come or is over.
bool in_its_time(DkimResult& result,
                 const DkimSignature& signature,
                 WallTime now,
                 std::chrono::seconds future_max) {
  if (signature.expires_at && *signature.expires_at < now) {
    settle(result, DkimVerdict::fail, "the signature has expired (x=)");
    return false;
  }
  if (signature.signed_at && *signature.signed_at > now + future_max) {
    settle(result, DkimVerdict::policy, "signed in the future (t=)");
    return false;
  }
  return true;
}

// Whether this record may vouch for this signature (RFC 6376 section 6.1.2).
Result<crypto::PublicKey> usable_key(const DkimKeyRecord& record, const DkimSignature& signature) {
  if (record.revoked()) return fail(Code::invalid, "key revoked");
  if (!record.allows_service(service_name))
    return fail(Code::invalid, "the key is not for mail (s=)");
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

struct DkimVerifier::State {
  DkimLimits limits;
  std::vector<Candidate> candidates;
  std::vector<std::string> questions;
  std::vector<std::optional<DkimKeyAnswer>> answers;
  std::array<BodyHashes, 2> bodies{BodyHashes(Canonicalization::simple),
                                   BodyHashes(Canonicalization::relaxed)};

  void read_header(std::string_view header_block);
  Candidate read_signature(const RawField& field, const FieldIndex& index);
  std::size_t question_for(std::string name);
  BodyHashes& body(const DkimSignature& signature) {
    return bodies.at(signature.body_form == Canonicalization::simple ? 0 : 1);
  }
  void judge(Candidate& candidate, WallTime now);
  DkimResult judge_with_key(const Candidate& candidate,
                            const DkimSignature& signature,
                            std::string_view key_text);
  void judge_body(DkimResult& result, const DkimSignature& signature);
  void add_policy_result(std::string reason);
};

void DkimVerifier::State::add_policy_result(std::string reason) {
  Candidate candidate;
  settle(candidate.result, DkimVerdict::policy, std::move(reason));
  candidates.push_back(std::move(candidate));
}

void DkimVerifier::State::read_header(std::string_view header_block) {
  if (header_block.size() > limits.header_bytes_max) {
    add_policy_result(
        fmt::format("not checked: the header has more than {} bytes", limits.header_bytes_max));
    return;
  }
  const std::vector<RawField> fields = split_header_block(header_block);
  if (fields.size() > limits.header_fields_max) {
    add_policy_result(
        fmt::format("not checked: more than {} header fields", limits.header_fields_max));
    return;
  }
  const FieldIndex index(fields);
  const auto& signatures = index.instances(signature_field_name);
  const std::size_t checked = std::min(signatures.size(), limits.signatures_max);
  for (std::size_t i = 0; i < checked; ++i) {
    candidates.push_back(read_signature(*signatures[i], index));
  }
  if (checked < signatures.size()) {
    add_policy_result(
        fmt::format("{} more signatures were not checked", signatures.size() - checked));
  }
}

Candidate DkimVerifier::State::read_signature(const RawField& field, const FieldIndex& index) {
  Candidate candidate;
  DkimResult& result = candidate.result;
  const auto tags = TagList::parse(body_of(field.raw));
  if (!tags) {
    settle(result, DkimVerdict::permerror, "malformed signature: " + tags.error().what);
    return candidate;
  }
  result.domain = text::printable(tags->value("d"), text::domain_bytes_max);
  result.selector = text::printable(tags->value("s"), text::domain_bytes_max);
  result.algorithm = text::printable(tags->value("a"), 40);
  auto signature = DkimSignature::from_tags(*tags);
  if (!signature) {
    settle(result, DkimVerdict::permerror, "malformed signature: " + signature.error().what);
    return candidate;
  }
  result.domain = signature->domain;
  result.selector = signature->selector;
  result.algorithm = dkim_algorithm_text(signature->algorithm);
  result.identity = text::printable(signature->identity);
  result.signed_fields = signature->signed_fields;
  candidate.header_digest = digest_header(*signature, *tags, index, field);
  candidate.question = question_for(signature->key_name());
  body(*signature).want(signature->body_length.value_or(unlimited));
  candidate.signature = *std::move(signature);
  return candidate;
}

std::size_t DkimVerifier::State::question_for(std::string name) {
  const auto found = std::ranges::find(questions, name);
  const auto index = static_cast<std::size_t>(found - questions.begin());
  if (found == questions.end()) {
    questions.push_back(std::move(name));
    answers.emplace_back();
  }
  return index;
}

void DkimVerifier::State::judge(Candidate& candidate, WallTime now) {
  if (!candidate.signature) return;
  DkimResult& result = candidate.result;
  if (!in_its_time(result, *candidate.signature, now, limits.future_max)) return;
  const auto& answer = answers.at(candidate.question);
  if (!answer || answer->status == DkimKeyAnswer::Status::temporary_failure) {
    settle(result, DkimVerdict::temperror, "the key could not be looked up");
    return;
  }
  if (answer->status == DkimKeyAnswer::Status::no_such_name || answer->texts.empty()) {
    settle(result, DkimVerdict::permerror, "no key at " + questions.at(candidate.question));
    return;
  }
  // Several records are an error of the domain's, with results undefined (RFC 6376 section
  // 3.6.2.2); like most, we try them in turn.
  const std::size_t tried = std::min(answer->texts.size(), limits.key_records_max);
  std::optional<DkimResult> best;
  for (std::size_t i = 0; i < tried; ++i) {
    DkimResult outcome = judge_with_key(candidate, *candidate.signature, answer->texts[i]);
    const bool better =
        !best ||
        (best->verdict == DkimVerdict::permerror && outcome.verdict != DkimVerdict::permerror) ||
        outcome.verdict == DkimVerdict::pass;
    if (better) best = std::move(outcome);
    if (best->verdict == DkimVerdict::pass) break;
  }
  result = *std::move(best);
}

DkimResult DkimVerifier::State::judge_with_key(const Candidate& candidate,
                                               const DkimSignature& signature,
                                               std::string_view key_text) {
  DkimResult result = candidate.result;
  const auto record = DkimKeyRecord::parse(key_text);
  if (!record) {
    settle(result, DkimVerdict::permerror, "malformed key record: " + record.error().what);
    return result;
  }
  result.key_testing = record->testing;
  const auto key = usable_key(*record, signature);
  if (!key) {
    settle(result, DkimVerdict::permerror, key.error().what);
    return result;
  }
  result.key_bits = key->bits();
  judge_body(result, signature);
  const bool body_good =
      result.verdict == DkimVerdict::pass || result.verdict == DkimVerdict::neutral;
  if (body_good && !key->verify(candidate.header_digest, signature.signature)) {
    settle(result, DkimVerdict::fail, "the signature does not fit header and key");
  }
  return result;
}

void DkimVerifier::State::judge_body(DkimResult& result, const DkimSignature& signature) {
  const BodyHashes& hashes = body(signature);
  const std::uint64_t length = signature.body_length.value_or(unlimited);
  if (signature.body_length && length > hashes.total()) {
    settle(result, DkimVerdict::permerror, "l= is longer than the body");
    return;
  }
  result.body_length_limited = length < hashes.total();
  if (crypto::bytes_of(hashes.digest(length)) != signature.body_hash) {
    settle(result, DkimVerdict::fail, "the body has changed");
  } else if (result.body_length_limited) {
    settle(result,
           DkimVerdict::neutral,
           fmt::format("l= leaves {} bytes of the body unsigned", hashes.total() - length));
  } else {
    settle(result, DkimVerdict::pass, "");
  }
}

DkimVerifier::DkimVerifier(std::string_view header_block, DkimLimits limits)
    : state_(std::make_unique<State>()) {
  state_->limits = limits;
  state_->read_header(header_block);
}
DkimVerifier::DkimVerifier(DkimVerifier&&) noexcept = default;
DkimVerifier& DkimVerifier::operator=(DkimVerifier&&) noexcept = default;
DkimVerifier::~DkimVerifier() = default;

const std::vector<std::string>& DkimVerifier::questions() const { return state_->questions; }

void DkimVerifier::on_body(std::string_view chunk) {
  for (BodyHashes& body : state_->bodies) body.update(chunk);
}

void DkimVerifier::on_key(std::size_t question, DkimKeyAnswer answer) {
  state_->answers.at(question) = std::move(answer);
}

std::vector<DkimResult> DkimVerifier::results(WallTime now) {
  for (BodyHashes& body : state_->bodies) body.finish();
  std::vector<DkimResult> results;
  for (Candidate& candidate : state_->candidates) {
    state_->judge(candidate, now);
    results.push_back(std::move(candidate.result));
  }
  return results;
}

}  // namespace tapal::mailauth
