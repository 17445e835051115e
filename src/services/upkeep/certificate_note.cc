#include "services/upkeep/certificate_note.h"

#include <algorithm>
#include <array>

#include <boost/json.hpp>

#include "values/text/date.h"
#include "values/text/json_fields.h"

namespace tapal::upkeep {

namespace json = boost::json;

namespace {

constexpr std::chrono::hours first_pause{1};
constexpr std::chrono::hours pause_max{24};
constexpr std::chrono::hours early_pause{6};
constexpr std::size_t doublings_max = 5;
constexpr std::size_t failure_bytes_max = 2'000;

Result<WallTime> time_at(const json::object& object, std::string_view key) {
  return text::parse_rfc3339_date(text::text_at(object, key));
}

Result<CertificateNote::Suggestion> suggestion_of(const json::object& object) {
  CertificateNote::Suggestion suggestion;
  TAPAL_TRY(suggestion.window.start, time_at(object, "start"));
  TAPAL_TRY(suggestion.window.end, time_at(object, "end"));
  TAPAL_TRY(suggestion.ask_again, time_at(object, "ask_again"));
  suggestion.window.explanation_url = text::text_at(object, "explanation");
  return suggestion;
}

Result<CertificateNote::Failure> failure_of(const json::object& object) {
  CertificateNote::Failure failure;
  TAPAL_TRY(failure.when, time_at(object, "when"));
  TAPAL_TRY(failure.next_try, time_at(object, "next_try"));
  failure.what = text::text_at(object, "what");
  failure.count = static_cast<std::size_t>(
      std::max<std::int64_t>(1, text::number_at(object, "count").value_or(1)));
  return failure;
}

}  // namespace

std::string CertificateNote::to_json() const {
  json::object note{{"directory", directory_url},
                    {"names", json::array(names.begin(), names.end())},
                    {"profile", profile},
                    {"renewal_info", renewal_info_url},
                    {"preferred_chain", preferred_chain}};
  if (suggestion)
    note["suggestion"] = {{"start", text::rfc3339_date(suggestion->window.start)},
                          {"end", text::rfc3339_date(suggestion->window.end)},
                          {"explanation", suggestion->window.explanation_url},
                          {"ask_again", text::rfc3339_date(suggestion->ask_again)}};
  if (renewed_early) note["renewed_early"] = text::rfc3339_date(*renewed_early);
  if (failure)
    note["failure"] = {{"count", failure->count},
                       {"what", failure->what},
                       {"when", text::rfc3339_date(failure->when)},
                       {"next_try", text::rfc3339_date(failure->next_try)}};
  return json::serialize(note) + "\n";
}

Result<CertificateNote> read_certificate_note(std::string_view text) {
  const auto object = text::parse_object(text);
  if (!object) return fail(Code::invalid, "a damaged note");
  CertificateNote note;
  note.directory_url = text::text_at(*object, "directory");
  note.profile = text::text_at(*object, "profile");
  note.renewal_info_url = text::text_at(*object, "renewal_info");
  note.preferred_chain = text::text_at(*object, "preferred_chain");
  note.names = text::texts_at(*object, "names");
  if (note.directory_url.empty() || note.names.empty())
    return fail(Code::invalid, "a note without an authority or names");
  if (const auto* suggestion = text::object_at(*object, "suggestion"))
    if (auto read = suggestion_of(*suggestion)) note.suggestion = *std::move(read);
  if (const auto early = time_at(*object, "renewed_early")) note.renewed_early = *early;
  if (const auto* failure = text::object_at(*object, "failure"))
    if (auto read = failure_of(*failure)) note.failure = *std::move(read);
  return note;
}

WallTime renewal_due(const CertificateNote& note, const crypto::CertificateFacts& certificate) {
  const auto& validity = certificate.validity;
  auto due = acme::moment_by_lifetime(validity);
  // A window behind the end is none: a certificate must not end while we wait for it.
  if (note.suggestion && note.suggestion->window.end < validity.not_after) {
    due = acme::moment_in(note.suggestion->window, certificate.sha256);
    if (note.renewed_early) due = std::max(due, *note.renewed_early + early_pause);
  }
  return note.failure ? std::max(due, note.failure->next_try) : due;
}

CertificateNote::Failure failure_after(const std::optional<CertificateNote::Failure>& before,
                                       const acme::Problem& problem,
                                       WallTime now) {
  const std::size_t count = before ? before->count + 1 : 1;
  const auto doubled = first_pause * (1U << std::min(count - 1, doublings_max));
  const std::chrono::seconds usual = std::min<std::chrono::seconds>(doubled, pause_max);
  const auto pause = std::max(usual, problem.retry_after.value_or(std::chrono::seconds(0)));
  return {count, problem.text().substr(0, failure_bytes_max), now, now + pause};
}

std::optional<int> days_to_warn_of(const crypto::Validity& validity, WallTime now) {
  constexpr std::array<int, 3> thresholds{7, 14, 21};
  // One that never lives that long is not near its end all its life.
  const auto lifetime = validity.not_after - validity.not_before;
  for (const int days : thresholds) {
    const std::chrono::days span(days);
    if (lifetime > span * 3 / 2 && validity.not_after - now < span) return days;
  }
  return {};
}

}  // namespace tapal::upkeep
