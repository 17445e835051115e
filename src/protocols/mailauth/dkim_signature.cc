#include "protocols/mailauth/dkim_signature.h"

#include <algorithm>

#include <fmt/format.h>

#include "protocols/mailauth/domain_name.h"
#include "protocols/mailauth/field_writer.h"
#include "protocols/mailauth/quoted_value.h"
#include "values/crypto/hash.h"
#include "values/text/ascii.h"
#include "values/text/base64.h"

namespace tapal::mailauth {
namespace {

using std::chrono::seconds;
using std::chrono::sys_seconds;

// Later than this is as good as never (RFC 6376 section 3.5, x=: twelve digits are enough).
constexpr std::uint64_t seconds_max = 999'999'999'999;

Result<std::string_view> required(const TagList& tags, std::string_view name) {
  const Tag* tag = tags.find(name);
  if (tag == nullptr) return fail(Code::invalid, fmt::format("no {}= tag", name));
  if (tag->value.empty()) return fail(Code::invalid, fmt::format("an empty {}= tag", name));
  return tag->value;
}

Result<DkimAlgorithm> read_algorithm(std::string_view value) {
  if (text::equals_ignoring_case(value, "rsa-sha256")) return DkimAlgorithm::rsa_sha256;
  if (text::equals_ignoring_case(value, "ed25519-sha256")) return DkimAlgorithm::ed25519_sha256;
  if (text::equals_ignoring_case(value, "rsa-sha1")) {
    return fail(Code::invalid, "rsa-sha1 proves nothing (RFC 8301 section 3.1)");
  }
  return fail(Code::invalid, fmt::format("unknown algorithm a={}", text::printable(value, 40)));
}

Result<Canonicalization> read_form(std::string_view value) {
  if (text::equals_ignoring_case(value, "simple")) return Canonicalization::simple;
  if (text::equals_ignoring_case(value, "relaxed")) return Canonicalization::relaxed;
  return fail(Code::invalid,
              fmt::format("unknown canonicalization {}", text::printable(value, 40)));
}

Result<void> read_forms(DkimSignature& signature, const TagList& tags) {
  const Tag* tag = tags.find("c");
  if (tag == nullptr) return {};  // simple/simple, RFC 6376 section 3.5
  const auto parts = text::split(tag->value, '/');
  if (parts.size() > 2) return fail(Code::invalid, "c= names more than two canonicalizations");
  TAPAL_TRY(signature.header_form, read_form(parts[0]));
  if (parts.size() == 2) {
    TAPAL_TRY(signature.body_form, read_form(parts[1]));
  }
  return {};
}

Result<void> read_signed_fields(DkimSignature& signature, const TagList& tags) {
  TAPAL_TRY(const std::string_view list, required(tags, "h"));
  bool from = false;
  for (const std::string_view name : colon_list(list)) {
    if (name.empty() || !std::ranges::all_of(name, [](char c) { return c > 0x20 && c < 0x7f; })) {
      return fail(Code::invalid, "h= lists something that is no field name");
    }
    from = from || text::equals_ignoring_case(name, "From");
    signature.signed_fields.emplace_back(name);
  }
  if (!from) return fail(Code::invalid, "From is not signed (RFC 6376 section 5.4)");
  return {};
}

Result<void> read_body_hash(DkimSignature& signature, const TagList& tags) {
  TAPAL_TRY(const std::string_view hash, required(tags, "bh"));
  const auto body_hash = from_base64_value(hash);
  if (!body_hash || body_hash->size() != crypto::Digest{}.size()) {
    return fail(Code::invalid, "bh= is no SHA-256 hash in base64");
  }
  signature.body_hash = *body_hash;
  return {};
}

Result<void> read_signature(DkimSignature& signature, const TagList& tags) {
  TAPAL_TRY(const std::string_view value, required(tags, "b"));
  auto bytes = from_base64_value(value);
  if (!bytes || bytes->empty()) return fail(Code::invalid, "b= is not base64");
  signature.signature = *std::move(bytes);
  return {};
}

Result<void> read_identity(DkimSignature& signature, const TagList& tags) {
  const Tag* tag = tags.find("i");
  if (tag == nullptr) return {};
  TAPAL_TRY(const std::string identity, from_quoted_value(tag->value));
  const std::size_t at = identity.rfind('@');
  if (at == std::string::npos) return fail(Code::invalid, "no @ in i=");
  TAPAL_TRY(const std::string domain, comparable_name(std::string_view(identity).substr(at + 1)));
  if (!is_same_or_below(domain, signature.domain)) {
    return fail(Code::invalid, "i= is not within d= (RFC 6376 section 3.5)");
  }
  signature.identity = identity.substr(0, at + 1) + domain;
  return {};
}

// Digits only; numbers past the sensible are pulled down to it.
Result<std::optional<std::uint64_t>> read_number(const TagList& tags, std::string_view name) {
  const Tag* tag = tags.find(name);
  if (tag == nullptr) return std::optional<std::uint64_t>{};
  const std::string_view digits = tag->value;
  if (digits.empty() || digits.size() > 76 || !std::ranges::all_of(digits, text::is_digit)) {
    return fail(Code::invalid, fmt::format("{}= is no number", name));
  }
  const auto number = text::to_number<std::uint64_t>(digits);
  return std::optional(std::min(number.value_or(seconds_max), seconds_max));
}

Result<void> read_signing_time(DkimSignature& signature, const TagList& tags) {
  TAPAL_TRY(const auto signed_at, read_number(tags, "t"));
  if (signed_at) signature.signed_at = sys_seconds(seconds(*signed_at));
  return {};
}

Result<void> read_expiry(DkimSignature& signature, const TagList& tags) {
  TAPAL_TRY(const auto expires_at, read_number(tags, "x"));
  if (expires_at) signature.expires_at = sys_seconds(seconds(*expires_at));
  if (signature.signed_at && expires_at && *signature.expires_at <= *signature.signed_at) {
    return fail(Code::invalid, "x= is not after t= (RFC 6376 section 3.5)");
  }
  return {};
}

Result<void> check_query(const TagList& tags) {
  const Tag* tag = tags.find("q");
  if (tag == nullptr) return {};
  for (const std::string_view method : colon_list(tag->value)) {
    if (text::equals_ignoring_case(method, "dns/txt")) return {};
  }
  return fail(Code::invalid, "q= names no way to the key that we know");
}

// Who signed, when, and the signature itself: what DKIM's and ARC's signatures have alike.
Result<void> read_signer(DkimSignature& signature, const TagList& tags) {
  TAPAL_TRY(const std::string_view algorithm, required(tags, "a"));
  TAPAL_TRY(signature.algorithm, read_algorithm(algorithm));
  TAPAL_TRY(const std::string_view domain, required(tags, "d"));
  TAPAL_TRY(signature.domain, comparable_name(domain));
  TAPAL_TRY(const std::string_view selector, required(tags, "s"));
  TAPAL_TRY(signature.selector, comparable_name(selector));
  TAPAL_CHECK(comparable_name(signature.key_name()));  // not longer than DNS can ask for
  signature.identity = "@" + signature.domain;
  TAPAL_CHECK(read_signing_time(signature, tags));
  return read_signature(signature, tags);
}

// What of the message is covered, and how.
Result<void> read_coverage(DkimSignature& signature, const TagList& tags) {
  TAPAL_CHECK(read_forms(signature, tags));
  TAPAL_CHECK(read_signed_fields(signature, tags));
  TAPAL_CHECK(read_body_hash(signature, tags));
  TAPAL_TRY(signature.body_length, read_number(tags, "l"));
  TAPAL_CHECK(read_expiry(signature, tags));
  return check_query(tags);
}

}  // namespace

std::string_view dkim_algorithm_text(DkimAlgorithm algorithm) {
  return algorithm == DkimAlgorithm::rsa_sha256 ? "rsa-sha256" : "ed25519-sha256";
}

Result<DkimSignature> DkimSignature::from_tags(const TagList& tags) {
  DkimSignature signature;
  TAPAL_TRY(const std::string_view version, required(tags, "v"));
  if (version != "1") {
    return fail(Code::invalid, fmt::format("unknown version v={}", text::printable(version, 40)));
  }
  TAPAL_CHECK(read_signer(signature, tags));
  TAPAL_CHECK(read_coverage(signature, tags));
  TAPAL_CHECK(read_identity(signature, tags));
  return signature;
}

Result<DkimSignature> DkimSignature::from_arc_message_tags(const TagList& tags) {
  DkimSignature signature;
  TAPAL_CHECK(read_signer(signature, tags));
  TAPAL_CHECK(read_coverage(signature, tags));
  return signature;
}

Result<DkimSignature> DkimSignature::from_arc_seal_tags(const TagList& tags) {
  DkimSignature signature;
  TAPAL_CHECK(read_signer(signature, tags));
  signature.header_form = Canonicalization::relaxed;
  return signature;
}

Result<DkimSignature> DkimSignature::parse(std::string_view field_body) {
  TAPAL_TRY(const TagList tags, TagList::parse(field_body));
  return from_tags(tags);
}

std::string DkimSignature::identity_domain() const {
  return identity.substr(identity.rfind('@') + 1);  // the whole when there is no @
}

std::string DkimSignature::key_name() const { return selector + "._domainkey." + domain; }

std::string DkimSignature::field() const {
  FieldWriter writer(fmt::format("{}: v=1;", dkim_field_name));
  writer.add(fmt::format("a={};", dkim_algorithm_text(algorithm)));
  writer.add(fmt::format(
      "c={}/{};", canonicalization_text(header_form), canonicalization_text(body_form)));
  writer.add(fmt::format("d={};", domain));
  writer.add(fmt::format("s={};", selector));
  if (!identity.empty() && identity != "@" + domain) {
    writer.add(fmt::format("i={};", to_quoted_value(identity)));
  }
  if (signed_at) writer.add(fmt::format("t={};", signed_at->time_since_epoch().count()));
  if (expires_at) writer.add(fmt::format("x={};", expires_at->time_since_epoch().count()));
  if (body_length) writer.add(fmt::format("l={};", *body_length));
  for (std::size_t i = 0; i < signed_fields.size(); ++i) {
    const std::string token = signed_fields[i] + (i + 1 < signed_fields.size() ? ":" : ";");
    if (i == 0) {
      writer.add("h=" + token);
    } else {
      writer.join(token);
    }
  }
  writer.add(fmt::format("bh={};", text::to_base64(body_hash)));
  writer.fold();
  writer.put("b=");
  writer.put_broken(text::to_base64(signature));
  return writer.take();
}

}  // namespace tapal::mailauth
