#include "protocols/acme/challenge.h"

#include <algorithm>

#include "values/text/ascii.h"
#include "values/text/base64.h"

namespace tapal::acme {
namespace {

constexpr std::size_t token_bytes_min = 22;
constexpr std::size_t token_bytes_max = 512;

// "issuer", "accounturi=...", "policy=wildcard": each trimmed, tags in lower case.
std::vector<std::string> parts_of(std::string_view value) {
  std::vector<std::string> parts;
  for (const auto part : text::split(value, ';')) {
    std::string clean(text::trim(part));
    const auto tag_end = std::min(clean.find('='), clean.size());
    for (std::size_t i = 0; i < tag_end; ++i) clean[i] = text::to_lower(clean[i]);
    parts.push_back(std::move(clean));
  }
  return parts;
}

}  // namespace

std::string_view challenge_kind_text(ChallengeKind kind) {
  return challenge_kind_texts[static_cast<std::size_t>(kind)];
}

std::optional<ChallengeKind> challenge_kind_from_text(std::string_view text) {
  const auto* found = std::ranges::find(challenge_kind_texts, text);
  if (found == challenge_kind_texts.end()) return {};
  return static_cast<ChallengeKind>(found - challenge_kind_texts.begin());
}

std::string Proof::record_name() const {
  return (kind == ChallengeKind::dns_persist_01 ? "_validation-persist." : "_acme-challenge.") +
         name;
}

crypto::Digest Proof::hash() const { return crypto::sha256(key_authorization); }

std::string key_authorization(std::string_view token, std::string_view thumbprint) {
  return std::string(token) + "." + std::string(thumbprint);
}

bool is_token(std::string_view text) {
  return text.size() >= token_bytes_min && text.size() <= token_bytes_max &&
         std::ranges::all_of(text,
                             [](char c) { return text::is_alnum(c) || c == '-' || c == '_'; });
}

std::string persistent_record(std::string_view issuer,
                              std::string_view account_url,
                              bool is_wildcard) {
  std::string record = std::string(issuer) + "; accounturi=" + std::string(account_url);
  if (is_wildcard) record += "; policy=wildcard";
  return record;
}

bool is_persistent_record(std::string_view value, std::string_view wanted) {
  const auto there = parts_of(value);
  const auto needed = parts_of(wanted);
  return there.front() == needed.front() && std::ranges::all_of(needed, [&there](const auto& part) {
           return std::ranges::find(there, part) != there.end();
         });
}

}  // namespace tapal::acme
