#include "services/upkeep/expiry_warnings.h"

#include <charconv>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "values/text/ascii.h"
#include "values/text/date.h"

namespace tapal::upkeep {
namespace {

constexpr std::size_t given_max = 10'000;

}  // namespace

// "<name> <end> <days>"
ExpiryWarnings::ExpiryWarnings(std::string_view memory) {
  for (const auto line : text::split(memory, '\n')) {
    const auto words = text::words(line);
    if (words.size() != 3 || given_.size() == given_max) continue;
    const auto end = text::parse_rfc3339_date(words[1]);
    int days = 0;
    const auto read = std::from_chars(words[2].data(), words[2].data() + words[2].size(), days);
    if (end && read.ec == std::errc()) given_[{std::string(words[0]), *end}] = days;
  }
}

std::optional<int> ExpiryWarnings::take(std::string_view name,
                                        const crypto::Validity& validity,
                                        WallTime now) {
  const auto days = days_to_warn_of(validity, now);
  if (!days) return {};
  auto [given, is_first] = given_.try_emplace({std::string(name), validity.not_after}, *days);
  if (!is_first && given->second <= *days) return {};
  given->second = *days;
  return days;
}

std::string ExpiryWarnings::memory(WallTime now) const {
  std::string text;
  for (const auto& [key, days] : given_)
    if (key.second > now)
      text += fmt::format("{} {} {}\n", key.first, text::rfc3339_date(key.second), days);
  return text;
}

ExpiryLetter expiry_letter(const KeptCertificate& kept,
                           const crypto::CertificateFacts& facts,
                           const CertificateNote* note,
                           WallTime now) {
  const auto end = text::rfc3339_date(facts.validity.not_after);
  const auto left = std::chrono::floor<std::chrono::days>(facts.validity.not_after - now).count();
  ExpiryLetter letter;
  letter.subject = left < 0 ? fmt::format("{}: the certificate has ended", kept.name)
                            : fmt::format("{}: the certificate ends in {} days", kept.name, left);
  letter.text = fmt::format("The certificate in certs/{} is good until {}.\nIts names: {}\n\n",
                            kept.name,
                            end,
                            fmt::join(facts.names, ", "));
  if (note == nullptr) {
    letter.text += "Another program renews it, and has not done so. Ask that program why.\n";
    return letter;
  }
  letter.text += note->failure ? fmt::format(
                                     "It is to be renewed, and the last order failed on {}:\n"
                                     "{}\nThe next try is on {}.\n",
                                     text::rfc3339_date(note->failure->when),
                                     note->failure->what,
                                     text::rfc3339_date(note->failure->next_try))
                               : fmt::format("It is to be renewed on {}.\n",
                                             text::rfc3339_date(renewal_due(*note, facts)));
  letter.text += fmt::format("At once: tapal cert renew {}\n", kept.name);
  return letter;
}

}  // namespace tapal::upkeep
