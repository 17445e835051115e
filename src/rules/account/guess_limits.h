// How often a password may be guessed. Wrong ones are counted for the account, for the network they
// come from (/24, or an IPv6 /64) and for its neighbourhood (/16 or /48), and are forgotten evenly
// within a window: first answers are held back, then attempts are refused unchecked, all but one
// now and then.
//
// The owner is not kept out: a place that has logged in to this account has a count of its own and
// no other; a place nearby (Google sends from many) escapes the account's count. The names of
// accounts are counted whether there are such users or not, so that nothing here tells which there
// are. Single-threaded: the owner locks.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip_address.h"
#include "base/time.h"
#include "rules/account/known_places.h"
#include "rules/account/recent_map.h"

namespace tapal::account {

struct GuessOptions {
  std::uint32_t per_network_max = 10;         // also of an account from a place known to it
  std::uint32_t per_neighbourhood_max = 100;  // of all networks there together
  std::uint32_t per_account_max = 20;         // from everywhere it is not known
  std::chrono::seconds window = std::chrono::hours(1);  // in which a full count is forgotten
  std::size_t counts_max = 20'000;  // kept at a time, below 1 KiB each; the longest unused go first
  KnownPlaces::Limits known;
};

// Who guesses: the name as it was given, and where from.
struct Guess {
  std::string login;
  IpAddress peer;
};

// One count, for people.
struct GuessCount {
  std::string what;         // "account ann@example.com", "network 192.0.2.0/24"; safe to print
  double wrong = 0;         // not yet forgotten
  Duration refused_for{0};  // until the next attempt is checked; 0: it is now
};

class GuessLimits {
 public:
  static constexpr Duration hold_back_max = std::chrono::seconds(4);
  static constexpr std::size_t shown_max = 100;

  explicit GuessLimits(GuessOptions options)
      : options_(options), counts_(options.counts_max), places_(options.known) {}

  // Whether this attempt is to be answered "later" without a look at its password.
  bool refuses(const Guess& guess, Instant now);

  void on_right(const Guess& guess, Instant now);

  // How long to hold the answer back. `fingerprint` is of the name and the password, keyed; 0 where
  // the password is not seen. The same wrong password again counts once: it is an application that
  // was not told the new one, and guesses nothing.
  Duration on_wrong(const Guess& guess, std::uint64_t fingerprint, Instant now);

  std::vector<GuessCount> counts(Instant now) const;  // the highest first, at most shown_max

 private:
  struct Count {
    double wrong = 0;
    double max = 1;
    Instant at{};                              // when it was so
    std::array<std::uint64_t, 4> recent = {};  // fingerprints
    std::size_t recent_next = 0;
  };
  struct Bound {
    std::string key;
    double max;
  };
  std::vector<Bound> bounds_of(const Guess& guess, Instant now);
  double wrong_of(const Count& count, Instant now) const;
  Duration refused_for(const Count& count, Instant now) const;
  Duration add(const Bound& bound, std::uint64_t fingerprint, Instant now);

  GuessOptions options_;
  RecentMap<Count> counts_;
  KnownPlaces places_;
};

}  // namespace tapal::account
