#include "rules/account/guess_limits.h"

#include <algorithm>

#include <fmt/format.h>

#include "values/mail/address.h"
#include "values/text/ascii.h"
#include "values/text/utf8.h"

namespace tapal::account {
namespace {

using Seconds = std::chrono::duration<double>;

constexpr std::size_t login_bytes_max = 320;  // 64 @ 255, RFC 5321 section 4.5.3.1

// One text for all ways to write an account's name.
std::string account_key(std::string_view login) {
  login = text::utf8_prefix(login, login_bytes_max);
  const auto address = mail::parse_address(login);
  return address ? address->key() : text::case_fold(login);
}

// A quarter of the bound is for slips of the finger.
Duration hold_back(double share) {
  if (share <= 0.25) return Duration::zero();
  if (share <= 0.5) return std::chrono::seconds(1);
  if (share <= 0.75) return std::chrono::seconds(2);
  return GuessLimits::hold_back_max;
}

}  // namespace

// The first word of a key keeps apart what a hostile name could make equal.
std::vector<GuessLimits::Bound> GuessLimits::bounds_of(const Guess& guess, Instant now) {
  const auto account = account_key(guess.login);
  const double network_max = options_.per_network_max;
  const auto nearness = places_.nearness(account, guess.peer, now);
  if (nearness == KnownPlaces::Nearness::known)
    return {{fmt::format("place {} of {}", place_of(guess.peer).text(), account), network_max}};
  std::vector<Bound> bounds;
  bounds.push_back({"network " + network_of(guess.peer).text(), network_max});
  bounds.push_back({"neighbourhood " + neighbourhood_of(guess.peer).text(),
                    static_cast<double>(options_.per_neighbourhood_max)});
  if (nearness == KnownPlaces::Nearness::strange)
    bounds.push_back({"account " + account, static_cast<double>(options_.per_account_max)});
  return bounds;
}

double GuessLimits::wrong_of(const Count& count, Instant now) const {
  const double forgotten = Seconds(now - count.at) / Seconds(options_.window) * count.max;
  return std::max(0.0, count.wrong - std::max(0.0, forgotten));
}

// Refused while one more would be over the bound.
Duration GuessLimits::refused_for(const Count& count, Instant now) const {
  const double over = wrong_of(count, now) + 1 - count.max;
  if (over <= 0) return Duration::zero();
  return std::chrono::ceil<std::chrono::milliseconds>(Seconds(options_.window) * over / count.max);
}

bool GuessLimits::refuses(const Guess& guess, Instant now) {
  const auto is_full = [&](const Bound& bound) {
    const Count* count = counts_.find(bound.key);
    return count != nullptr && refused_for(*count, now) > Duration::zero();
  };
  return std::ranges::any_of(bounds_of(guess, now), is_full);
}

void GuessLimits::on_right(const Guess& guess, Instant now) {
  places_.remember(account_key(guess.login), guess.peer, now);
}

Duration GuessLimits::on_wrong(const Guess& guess, std::uint64_t fingerprint, Instant now) {
  Duration longest{};
  for (const Bound& bound : bounds_of(guess, now))
    longest = std::max(longest, add(bound, fingerprint, now));
  return longest;
}

Duration GuessLimits::add(const Bound& bound, std::uint64_t fingerprint, Instant now) {
  Count& count = counts_.at(bound.key);
  count.max = bound.max;
  count.wrong = wrong_of(count, now);
  count.at = now;
  const bool is_again =
      fingerprint != 0 && std::ranges::find(count.recent, fingerprint) != count.recent.end();
  if (!is_again) {
    count.wrong = std::min(count.wrong + 1, count.max);
    count.recent.at(count.recent_next++ % count.recent.size()) = fingerprint;
  }
  return hold_back(count.wrong / count.max);
}

std::vector<GuessCount> GuessLimits::counts(Instant now) const {
  std::vector<GuessCount> all;
  for (const auto& [key, count] : counts_)
    if (const double wrong = wrong_of(count, now); wrong > 0)
      all.push_back({text::printable(key), wrong, refused_for(count, now)});
  const auto shown = std::min(all.size(), shown_max);
  std::ranges::partial_sort(
      all,
      all.begin() + static_cast<std::ptrdiff_t>(shown),
      std::ranges::greater{},
      [](const GuessCount& count) { return std::pair(count.refused_for, count.wrong); });
  all.resize(shown);
  return all;
}

}  // namespace tapal::account
