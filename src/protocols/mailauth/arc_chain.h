// The ARC sets of a message (RFC 8617 section 4) as they stand in its header, and whether they make
// a chain at all. Whether their signatures are good is left to arc_verify.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "protocols/mailauth/dkim_signature.h"
#include "protocols/mailauth/header_block.h"

namespace tapal::mailauth {

inline constexpr int arc_sets_max = 50;  // RFC 8617 section 4.2.1
inline constexpr std::string_view arc_results_field_name = "ARC-Authentication-Results";
inline constexpr std::string_view arc_message_field_name = "ARC-Message-Signature";
inline constexpr std::string_view arc_seal_field_name = "ARC-Seal";

// What a seal says of the chain it found (cv=), and what checking a chain gives.
enum class ArcStatus : std::uint8_t { none, pass, fail };

std::string_view arc_status_text(ArcStatus status);
std::optional<ArcStatus> arc_status_from_text(std::string_view text);  // ignoring case

struct ArcSeal {
  ArcStatus chain = ArcStatus::none;  // cv=
  DkimSignature signature;            // as from_arc_seal_tags() reads it
};

// One hop's three fields. The pointers borrow from the header.
struct ArcSet {
  int instance = 0;                         // i=
  const RawField* results_field = nullptr;  // nullptr: missing
  const RawField* message_field = nullptr;
  const RawField* seal_field = nullptr;
  std::string results;  // what follows i= in the results field, on one line; made printable
  Result<DkimSignature> message_signature;
  Result<ArcSeal> seal;
};

struct ArcChain {
  std::vector<ArcSet> sets;  // by instance, lowest first
  // Why this is no chain by RFC 8617 section 5.2, steps 1 to 3; empty when it is one, or when there
  // is no ARC field at all.
  std::string trouble;

  bool absent() const { return sets.empty() && trouble.empty(); }
  int highest() const { return sets.empty() ? 0 : sets.back().instance; }
};

// Work is linear in the header; more than arc_sets_max fields of a name are not looked at.
ArcChain read_arc_chain(const FieldIndex& fields);

}  // namespace tapal::mailauth
