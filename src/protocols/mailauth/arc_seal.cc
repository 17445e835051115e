#include "protocols/mailauth/arc_seal.h"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "protocols/mailauth/arc_seal_digest.h"
#include "protocols/mailauth/domain_name.h"
#include "protocols/mailauth/field_writer.h"
#include "protocols/mailauth/signed_header.h"
#include "values/mail/header.h"
#include "values/text/ascii.h"
#include "values/text/base64.h"

namespace tapal::mailauth {
namespace {

// h= is one token on its line while it is shorter than this; RFC 5322 section 2.1.1 ends lines at
// 998.
constexpr std::size_t unbroken_bytes_max = 900;

// What a new set is made of.
struct NewSet {
  int instance = 1;
  ArcStatus chain = ArcStatus::none;
  DkimSignature signature;  // of the message; the seal shares its signer and time
};

void put_signature(FieldWriter& writer, std::string_view signature) {
  const std::string value = text::to_base64(signature);
  writer.fold();
  writer.put("b=");
  if (value.size() <= unbroken_bytes_max) {
    writer.put(value);
  } else {
    writer.put_broken(value);
  }
  writer.put(";");
}

void put_signed_fields(FieldWriter& writer, const std::vector<std::string>& names) {
  const auto list = fmt::format("h={};", fmt::join(names, ":"));
  if (list.size() <= unbroken_bytes_max) return writer.add(list);
  // On a line of its own, so that it is broken at the same places with and without a signature.
  writer.fold();
  writer.put("h=");
  for (std::size_t i = 0; i < names.size(); ++i) {
    writer.join(fmt::format("{}{}", names[i], i + 1 < names.size() ? ':' : ';'));
  }
}

void put_signer(FieldWriter& writer, const NewSet& set) {
  writer.put(fmt::format(" i={};", set.instance));  // dkimpy finds it by a blank, not behind a fold
  writer.add(fmt::format("s={};", set.signature.selector));
  // NOLINTNEXTLINE(bugprone-unchecked-optional-access): fill_signer() has set it
  writer.add(fmt::format("t={}", set.signature.signed_at->time_since_epoch().count()));
}

std::string message_field(const NewSet& set) {
  const DkimSignature& signature = set.signature;
  FieldWriter writer(
      fmt::format("{}: a={};", arc_message_field_name, dkim_algorithm_text(signature.algorithm)));
  put_signature(writer, signature.signature);
  writer.add(fmt::format("bh={};", text::to_base64(signature.body_hash)));
  writer.add(fmt::format("c={}/{};",
                         canonicalization_text(signature.header_form),
                         canonicalization_text(signature.body_form)));
  writer.add(fmt::format("d={};", signature.domain));
  put_signed_fields(writer, signature.signed_fields);
  put_signer(writer, set);
  return writer.take();
}

std::string seal_field(const NewSet& set, std::string_view signature) {
  FieldWriter writer(
      fmt::format("{}: a={};", arc_seal_field_name, dkim_algorithm_text(set.signature.algorithm)));
  put_signature(writer, signature);
  writer.add(fmt::format("cv={};", arc_status_text(set.chain)));
  writer.add(fmt::format("d={};", set.signature.domain));
  put_signer(writer, set);
  return writer.take();
}

RawField raw_field(std::string_view raw) {
  if (raw.ends_with("\r\n")) raw.remove_suffix(2);
  return {raw.substr(0, raw.find(':')), raw};
}

Result<std::vector<std::string>> fields_to_sign(const std::vector<RawField>& fields,
                                                const std::vector<std::string>& wanted) {
  std::vector<std::string> names = wanted.empty() ? arc_signed_fields(fields) : wanted;
  if (names.size() > dkim_signed_fields_max) {
    return fail(Code::invalid,
                fmt::format("more than {} header fields to sign", dkim_signed_fields_max));
  }
  for (std::string& name : names) {
    name = text::to_lower(text::trim(name));
    const auto good = [](char c) { return c > 0x20 && c < 0x7f && c != ':' && c != ';'; };
    if (name.empty() || !std::ranges::all_of(name, good)) {
      return fail(Code::invalid, "the fields to sign must be names with \":\" between them");
    }
  }
  if (std::ranges::find(names, text::to_lower(arc_seal_field_name)) != names.end()) {
    return fail(Code::invalid, "ARC-Seal cannot be among the fields to sign");
  }
  if (std::ranges::find(names, "from") == names.end()) {
    return fail(Code::invalid, "From must be among the fields to sign");
  }
  return names;
}

// What may follow the chain that is there.
Result<NewSet> next_set(const ArcChain& chain, ArcStatus status) {
  NewSet set{.instance = chain.highest() + 1, .chain = status, .signature = {}};
  if (!chain.sets.empty()) {
    const auto& last = chain.sets.back().seal;
    if (last && last->chain == ArcStatus::fail) {
      return fail(Code::denied,
                  "the last seal says that the chain failed: nobody may add to it (RFC 8617 "
                  "section 5.1)");
    }
  }
  if (set.instance > arc_sets_max) {
    return fail(Code::denied, fmt::format("the chain has {} sets already", arc_sets_max));
  }
  if (chain.absent()) {
    set.chain = ArcStatus::none;
  } else if (!chain.trouble.empty() || status != ArcStatus::pass) {
    set.chain = ArcStatus::fail;
  }
  return set;
}

Result<void> fill_signer(DkimSignature& signature, const DkimSigner& signer, WallTime now) {
  TAPAL_TRY(signature.algorithm, dkim_algorithm_for(*signer.key));
  TAPAL_TRY(signature.domain, comparable_name(signer.domain));
  TAPAL_TRY(signature.selector, comparable_name(signer.selector));
  TAPAL_CHECK(comparable_name(signature.key_name()));
  signature.header_form = Canonicalization::relaxed;
  signature.body_form = Canonicalization::relaxed;
  signature.signed_at = std::chrono::floor<std::chrono::seconds>(now);
  return {};
}

}  // namespace

std::vector<std::string> arc_signed_fields(const std::vector<RawField>& fields) {
  std::vector<std::string> names = dkim_signed_fields(fields);
  for (const RawField& field : fields) {
    if (text::equals_ignoring_case(field.name, dkim_field_name)) names.emplace_back(field.name);
  }
  return names;
}

Result<std::string> arc_seal(const DkimSigner& signer,
                             std::string_view header_block,
                             const crypto::Digest& body_hash,
                             const ArcSealing& sealing) {
  const std::vector<RawField> old_fields = split_header_block(header_block);
  const FieldIndex old_index(old_fields);
  if (old_index.instances("From").empty()) return fail(Code::invalid, "no From field to sign");
  const ArcChain chain = read_arc_chain(old_index);
  TAPAL_TRY(NewSet set, next_set(chain, sealing.chain));
  TAPAL_CHECK(fill_signer(set.signature, signer, sealing.now));
  TAPAL_TRY(set.signature.signed_fields, fields_to_sign(old_fields, sealing.signed_fields));
  set.signature.body_hash = crypto::bytes_of(body_hash);

  const std::string results =
      mail::field(arc_results_field_name, fmt::format("i={}; {}", set.instance, sealing.results));
  std::vector<RawField> fields = {raw_field(results)};
  fields.insert(fields.end(), old_fields.begin(), old_fields.end());

  std::string message = message_field(set);
  const RawField unsigned_message = raw_field(message);
  const auto digest = signed_header_digest(set.signature,
                                           FieldIndex(fields),
                                           unsigned_message,
                                           *field_tags(unsigned_message)->find("b"));
  TAPAL_TRY(set.signature.signature, signer.key->sign(digest));
  message = message_field(set);

  ArcSealDigest seal_digest;
  if (set.chain != ArcStatus::fail) {
    for (const ArcSet& old : chain.sets) {
      seal_digest.add(*old.results_field, *old.message_field, *old.seal_field);
    }
  }
  const std::string unsigned_seal = seal_field(set, {});
  const auto to_sign =
      seal_digest.add(fields.front(), raw_field(message), raw_field(unsigned_seal));
  TAPAL_TRY(const auto signature, signer.key->sign(to_sign));
  return seal_field(set, signature) + "\r\n" + message + "\r\n" + results;
}

}  // namespace tapal::mailauth
