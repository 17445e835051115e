#include "services/intake/branch_head.h"

#include <algorithm>

#include "protocols/mailauth/arc_seal.h"
#include "rules/forward/passed_on.h"

namespace tapal::intake {
namespace {

constexpr std::size_t read_bytes = 64UL * 1024;

forward::PassedOn passed_on(const Branch& branch, const HeadInput& input) {
  forward::PassedOn made{.alias = input.alias,
                         .host_name = input.options.host_name,
                         .id = branch.id.text(),
                         .now = input.now};
  for (const auto& recipient : branch.recipients) made.targets.push_back(recipient.address);
  return made;
}

// Empty where nobody has a key: the message goes on without.
Result<std::string> seal(std::string_view header, const HeadInput& input) {
  const auto* signers = signers_of(input.domains, input.alias.domain);
  if (!input.options.seals_arc || input.findings == nullptr || !input.body_hash ||
      signers == nullptr)
    return std::string();
  const mailauth::AuthenticationResults results{input.options.host_name,
                                                mailauth::auth_methods(*input.findings)};
  const mailauth::ArcSealing sealing{.chain = input.findings->arc.status,
                                     .results = mailauth::authentication_results_payload(results),
                                     .signed_fields = {},
                                     .now = input.now};
  auto sealed = mailauth::arc_seal(signers->front(), header, *input.body_hash, sealing);
  if (!sealed && sealed.error().code == Code::denied) return std::string();
  return sealed;
}

// A message of ours now, so our signature has to be on it.
Result<std::string> sign(std::string_view header,
                         const crypto::Digest& body_hash,
                         const HeadInput& input) {
  std::string fields;
  const auto* signers = signers_of(input.domains, input.alias.domain);
  if (signers == nullptr) return fields;
  const mailauth::DkimSignTimes times{input.now, input.now + input.options.dkim_lifetime};
  for (const auto& signer : *signers) {
    TAPAL_TRY(const auto field, mailauth::dkim_sign(signer, header, body_hash, times));
    fields += field;
  }
  return fields;
}

// The relaxed hash of a body that is the original, header and all.
Result<crypto::Digest> hash_wrapped(std::string_view header, const Body& body) {
  mailauth::DkimBodyHasher hasher;
  hasher.update(header);
  std::string chunk(read_bytes, '\0');
  for (std::uint64_t offset = 0; offset < body.size();) {
    TAPAL_TRY(const auto count, body.read(offset, chunk));
    if (count == 0) break;
    hasher.update(std::string_view(chunk).substr(0, count));
    offset += count;
  }
  return hasher.finish();
}

}  // namespace

Result<std::string> branch_head(const Branch& branch, forward::Remedy way, const HeadInput& input) {
  const auto facts = passed_on(branch, input);
  auto above = std::string(input.trace_fields) + forward::forward_fields(facts);
  switch (way) {
    case forward::Remedy::rewrite_from: {
      TAPAL_TRY(const auto header, forward::with_alias_as_author(input.header, facts));
      if (!input.body_hash) return above + header;
      TAPAL_TRY(const auto signature, sign(header, *input.body_hash, input));
      return signature + above + header;
    }
    case forward::Remedy::wrap: {
      const auto header = forward::wrapping_header(input.header, facts);
      TAPAL_TRY(const auto hash, hash_wrapped(input.header, *branch.body));
      TAPAL_TRY(const auto signature, sign(header, hash, input));
      return signature + above + header + "\r\n" + std::string(input.header);
    }
    case forward::Remedy::refuse:
    case forward::Remedy::pass_on: break;
  }
  above += input.header;
  TAPAL_TRY(const auto set, seal(above, input));
  return set + above;
}

PassedOnPath passed_on_path(const Domains& domains,
                            const std::optional<mail::Address>& path,
                            const mail::Address& alias,
                            QueueId name,
                            WallTime now) {
  if (!path || !domains.srs || domains.directory.is_own_domain(path->domain)) return {path};
  if (auto readable = domains.srs->forward(*path, alias.domain, now)) return {*std::move(readable)};
  if (auto kept = domains.srs->forward_kept(name, alias.domain, now))
    return {*std::move(kept), true};
  return {path};
}

}  // namespace tapal::intake
