#include "rules/provision/requirements.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace tapal::provision {
namespace {

using State = Requirement::State;
using enum Audience;

constexpr std::string_view gmail = "Gmail";
constexpr std::string_view yahoo = "Yahoo";
constexpr std::string_view outlook = "Outlook";

struct Row {
  std::string_view receiver;
  Audience audience;
  std::string_view what;
  std::array<std::string_view, 4> checks;  // "" for none; those behind "or" are alternatives
  std::string_view yours = {};             // what is left to people; no checks then
  std::string_view by_itself = {};         // why it is kept always
};

constexpr std::string_view or_else = "or";

constexpr std::string_view spam_rate =
    "see Google Postmaster Tools, and stop what people complain of";
constexpr std::string_view unsubscribe =
    "programs that send newsletters add List-Unsubscribe and List-Unsubscribe-Post (RFC 8058)";

constexpr Row rows[] = {
    {gmail, all_senders, "SPF or DKIM", {"spf.egress", or_else, "dkim.published", ""}},
    {gmail, all_senders, "reverse names that lead back", {"ptr.confirmed", "", "", ""}},
    {gmail, all_senders, "TLS for the transport", {}, {}, "tapal uses it wherever it is offered"},
    {gmail, all_senders, "messages as RFC 5322 wants them", {}, {}, "tapal completes them"},
    {gmail, all_senders, "ARC on forwarded mail", {}, {}, "tapal seals it"},
    {gmail, all_senders, "spam rate below 0.3 %", {}, spam_rate},
    {gmail, bulk_senders, "SPF and DKIM", {"spf.egress", "dkim.signing", "dkim.published", ""}},
    {gmail, bulk_senders, "DMARC, p=none at least", {"dmarc.record", "", "", ""}},
    {gmail,
     bulk_senders,
     "alignment of From with SPF or DKIM",
     {"spf.egress", or_else, "dkim.published", ""}},
    {gmail, bulk_senders, "one-click unsubscribe", {}, unsubscribe},

    {yahoo, all_senders, "SPF or DKIM", {"spf.egress", or_else, "dkim.published", ""}},
    {yahoo, all_senders, "reverse names that lead back", {"ptr.confirmed", "", "", ""}},
    {yahoo,
     all_senders,
     "spam rate below 0.3 %",
     {},
     "enrol in the Complaint Feedback Loop for the DKIM domain"},
    {yahoo,
     bulk_senders,
     "SPF and DKIM, keys of 2048 bits",
     {"spf.egress", "dkim.published", "dkim.strength", ""}},
    {yahoo, bulk_senders, "DMARC, p=none at least", {"dmarc.record", "", "", ""}},
    {yahoo, bulk_senders, "one-click unsubscribe, kept to within two days", {}, unsubscribe},

    {outlook, all_senders, "an address on no block list", {"list.address", "", "", ""}},
    {outlook, all_senders, "reverse names that lead back", {"ptr.confirmed", "", "", ""}},
    {outlook, all_senders, "a From that takes answers", {"mx.record", "mx.target", "", ""}},
    {outlook, bulk_senders, "SPF and DKIM", {"spf.egress", "dkim.signing", "dkim.published", ""}},
    {outlook, bulk_senders, "DMARC, p=none at least, aligned", {"dmarc.record", "", "", ""}},
    {outlook, bulk_senders, "a working way to unsubscribe", {}, unsubscribe},
};

struct Verdict {
  State state = State::unknown;
  std::string why;
};

// Broken by an error; a warning is no breach.
Verdict verdict_of(std::string_view check, std::span<const Finding> findings) {
  Verdict verdict;
  for (const auto& finding : findings) {
    if (finding.id != check) continue;
    if (finding.severity == Severity::error)
      return {State::broken, fmt::format("{}: {}", check, finding.seen)};
    verdict.state = State::kept;
  }
  return verdict;
}

// All of some checks, or all of those behind "or".
Verdict verdict_of(const Row& row, std::span<const Finding> findings) {
  if (!row.yours.empty()) return {State::yours, std::string(row.yours)};
  if (!row.by_itself.empty()) return {State::kept, std::string(row.by_itself)};
  Verdict whole{State::kept, {}};
  for (const auto check : row.checks) {
    if (check.empty()) continue;
    if (check == or_else) {
      if (whole.state == State::kept) return whole;
      whole = {State::kept, {}};
      continue;
    }
    auto one = verdict_of(check, findings);
    if (whole.state == State::kept || one.state == State::broken) {
      if (one.state != State::kept) whole = std::move(one);
    }
  }
  return whole;
}

}  // namespace

std::vector<Requirement> requirements(std::span<const Finding> findings) {
  std::vector<Requirement> all;
  for (const auto& row : rows) {
    auto verdict = verdict_of(row, findings);
    all.push_back({row.receiver, row.audience, row.what, verdict.state, std::move(verdict.why)});
  }
  return all;
}

}  // namespace tapal::provision
