#include "services/intake/authenticator.h"

#include <optional>
#include <random>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "ports/test_fakes.h"
#include "ports/test_loop.h"
#include "services/intake/test_domains.h"

namespace tapal::intake {
namespace {

using PasswordVerdict = PasswordAnswer::Verdict;
using std::chrono::minutes;
using std::chrono::seconds;

struct World {
  VirtualLoop loop;
  SeededRandom random;
  InlineWorkers workers;
  Authenticator authenticator{workers, loop, random, {.password_cost = cheap_cost}};
  Domains domains = test_domains();

  PasswordAnswer answer(std::string login,
                        std::string password,
                        std::string_view peer = "192.0.2.7") {
    account::Guess guess{std::move(login), IpAddress::from_text(peer).value()};
    return loop
        .wait(authenticator.check_password(
            loop, domains.directory, std::move(guess), std::move(password)))
        .value();
  }
  PasswordVerdict check(std::string login,
                        std::string password,
                        std::string_view peer = "192.0.2.7") {
    return answer(std::move(login), std::move(password), peer).verdict;
  }
};

TEST(Authenticator, tells_right_from_wrong) {
  World w;
  EXPECT_EQ(w.check("alice@own.example", "alice's secret"), PasswordVerdict::right);
  EXPECT_EQ(w.check("ALICE@own.example", "alice's secret"), PasswordVerdict::right);
  EXPECT_EQ(w.check("alice@own.example", "bob's secret"), PasswordVerdict::wrong);
  EXPECT_EQ(w.check("alice@own.example", ""), PasswordVerdict::wrong);
  EXPECT_EQ(w.check("alice", "alice's secret"), PasswordVerdict::wrong);
  EXPECT_EQ(w.check("alice+x@own.example", "alice's secret"), PasswordVerdict::wrong);
  EXPECT_EQ(w.check("info@own.example", "alice's secret"), PasswordVerdict::wrong);
}

TEST(Authenticator, asks_a_worker_for_an_unknown_user_as_for_a_wrong_password) {
  World w;
  EXPECT_EQ(w.check("nobody@own.example", "x"), PasswordVerdict::wrong);
  EXPECT_EQ(w.workers.calls, 1U);
  EXPECT_EQ(w.check("nobody@own.example", "x"), PasswordVerdict::wrong);
  EXPECT_EQ(w.workers.calls, 2U);
}

TEST(Authenticator, asks_no_worker_for_what_was_right_a_moment_ago) {
  World w;
  EXPECT_EQ(w.check("alice@own.example", "alice's secret"), PasswordVerdict::right);
  EXPECT_EQ(w.workers.calls, 1U);
  w.workers.busy = true;
  EXPECT_EQ(w.check("alice@own.example", "alice's secret"), PasswordVerdict::right);
  EXPECT_EQ(w.check("alice@own.example", "wrong"), PasswordVerdict::busy);
  w.workers.busy = false;
  EXPECT_EQ(w.check("alice@own.example", "alice's secret"), PasswordVerdict::right);
  EXPECT_EQ(w.workers.calls, 1U);
  w.loop.run_for(minutes(6));
  EXPECT_EQ(w.check("alice@own.example", "alice's secret"), PasswordVerdict::right);
  EXPECT_EQ(w.workers.calls, 2U);
}

TEST(Authenticator, forgets_when_the_stored_hash_changes) {
  World w;
  EXPECT_EQ(w.check("alice@own.example", "alice's secret"), PasswordVerdict::right);
  w.domains.directory = {};
  w.domains.directory.add_domain("own.example", {user_with("alice@own.example", "a new one")});
  EXPECT_EQ(w.check("alice@own.example", "alice's secret"), PasswordVerdict::wrong);
  EXPECT_EQ(w.check("alice@own.example", "a new one"), PasswordVerdict::right);
  w.domains.directory = {};
  EXPECT_EQ(w.check("alice@own.example", "a new one"), PasswordVerdict::wrong);
}

TEST(Authenticator, takes_an_application_password_at_once_and_knows_whose_it_is) {
  World w;
  w.workers.busy = true;
  const std::string typed(app_password);
  const auto answer = w.answer("Alice@own.example", "ABCDE FGHJK MNPQR STVWX YZ012");
  EXPECT_EQ(answer.verdict, PasswordVerdict::right);
  EXPECT_EQ(answer.credential, gmail_password().text());
  EXPECT_EQ(w.check("bob@own.example", typed), PasswordVerdict::busy);
  EXPECT_EQ(w.check("nobody@own.example", typed), PasswordVerdict::busy);
  EXPECT_EQ(w.check("alice@own.example", "abcde-fghjk-mnpqr-stvwx-yz013"), PasswordVerdict::busy);
  w.workers.busy = false;
  EXPECT_EQ(w.check("bob@own.example", typed), PasswordVerdict::wrong);
  EXPECT_EQ(w.answer("alice@own.example", "alice's secret").credential,
            w.domains.directory.find_login("alice@own.example")->password_hash);
}

TEST(Authenticator, refuses_an_application_password_once_it_is_taken_back) {
  World w;
  const std::string typed(app_password);
  EXPECT_EQ(w.check("alice@own.example", typed), PasswordVerdict::right);
  EXPECT_EQ(w.check("alice@own.example", typed), PasswordVerdict::right);
  auto alice = *w.domains.directory.find_login("alice@own.example");
  alice.app_passwords.clear();
  w.domains.directory = {};
  w.domains.directory.add_domain("own.example", {alice});
  EXPECT_EQ(w.check("alice@own.example", typed), PasswordVerdict::wrong);
  EXPECT_EQ(w.check("alice@own.example", "alice's secret"), PasswordVerdict::right);
}

TEST(Authenticator, looks_at_no_password_past_the_limit_but_lets_the_right_ones_in) {
  World w;
  EXPECT_EQ(w.check("alice@own.example", "alice's secret", "198.51.100.7"), PasswordVerdict::right);
  for (int i = 0; i < 60; ++i)
    w.check("alice@own.example", std::to_string(i), "10." + std::to_string(i) + ".0.1");
  const auto calls = w.workers.calls;
  EXPECT_EQ(w.check("alice@own.example", "a new guess", "203.0.113.1"),
            PasswordVerdict::too_many_guesses);
  EXPECT_EQ(w.workers.calls, calls);
  EXPECT_EQ(w.check("alice@own.example", "a new guess", "198.51.100.7"), PasswordVerdict::wrong);
  w.loop.run_for(minutes(6));  // the remembered password is forgotten, the place is not
  EXPECT_EQ(w.check("alice@own.example", "alice's secret", "198.51.100.7"), PasswordVerdict::right);
  EXPECT_EQ(w.check("alice@own.example", std::string(app_password), "203.0.113.2"),
            PasswordVerdict::right)
      << "an application password is let in from anywhere";
  EXPECT_FALSE(w.authenticator.guess_counts().empty());
}

// What an onlooker sees of a series of guesses: answers, work and time.
std::vector<std::string> seen_of(const std::string& login, unsigned seed) {
  World w;
  std::minstd_rand random(seed);
  std::vector<std::string> seen;
  for (int i = 0; i < 80; ++i) {
    const auto peer = fmt::format("10.{}.0.{}", random() % 30, random() % 3 + 1);
    const auto password = random() % 4 == 0 ? "abcde-fghjk-mnpqr-stvwx-yz013"
                                            : fmt::format("guess {}", random() % 60);
    const auto calls_before = w.workers.calls;
    const auto answer = w.answer(login, password, peer);
    seen.push_back(fmt::format("{} {} {}",
                               static_cast<int>(answer.verdict),
                               w.workers.calls - calls_before,
                               answer.hold_back.count()));
    w.loop.run_for(seconds(random() % 120));
  }
  return seen;
}

TEST(Authenticator, answers_an_unknown_user_as_a_wrong_password_in_all_that_can_be_seen) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    const auto unknown = seen_of("nobody@own.example", seed);
    EXPECT_EQ(seen_of("alice@own.example", seed), unknown);  // has an application password
    EXPECT_EQ(seen_of("bob@own.example", seed), unknown);
  }
}

TEST(Authenticator, counts_a_password_that_an_application_repeats_once) {
  World w;
  for (int i = 0; i < 50; ++i)
    EXPECT_EQ(w.check("alice@own.example", "the old one"), PasswordVerdict::wrong);
  EXPECT_EQ(w.check("alice@own.example", "alice's secret"), PasswordVerdict::right);
}

// Alice's password is "correct horse", and chasquid hashed it.
constexpr std::string_view scrypt_hash =
    "$scrypt$ln=4,r=1,p=1$CgBzYWx0$PqyDp8NjFI1k4nDB9Zz9/DllKJ4w2UJvvaN/d5rHgQY";

Domains domains_with_hash(std::string_view hash) {
  Domains domains;
  account::UserRecord user{.address = address("alice@own.example")};
  user.password_hash = hash;
  domains.directory.add_domain("own.example", {std::move(user)});
  return domains;
}

// An authenticator that keeps passwords in the form of `kept`, if that is set.
struct UpgradeWorld : World {
  std::optional<std::string> kept;
  std::vector<std::string> asked;  // user and password
  Authenticator upgrading{workers,
                          loop,
                          random,
                          {.password_cost = cheap_cost},
                          [this](const account::UserRecord& user, const std::string& password) {
                            asked.push_back(fmt::format("{} {}", user.address.text(), password));
                            return kept;
                          }};

  UpgradeWorld() { domains = domains_with_hash(scrypt_hash); }
  PasswordAnswer log_in(std::string password) {
    account::Guess guess{"alice@own.example", IpAddress::from_text("192.0.2.7").value()};
    return loop
        .wait(upgrading.check_password(
            loop, domains.directory, std::move(guess), std::move(password)))
        .value();
  }
};

TEST(Authenticator, upgrades_another_servers_hash_at_the_first_right_login_only) {
  UpgradeWorld w;
  w.kept = crypto::hash_password("correct horse", cheap_cost).value();
  EXPECT_EQ(w.log_in("wrong").verdict, PasswordVerdict::wrong);
  EXPECT_TRUE(w.asked.empty());
  const auto before = w.log_in("correct horse");
  EXPECT_EQ(before.verdict, PasswordVerdict::right);
  EXPECT_EQ(w.asked, std::vector<std::string>{"alice@own.example correct horse"});
  w.loop.run_for(minutes(6));  // no longer remembered, and the accounts not yet read again
  EXPECT_EQ(w.log_in("correct horse").verdict, PasswordVerdict::right);
  EXPECT_EQ(w.asked.size(), 1U);

  w.domains = domains_with_hash(*w.kept);
  const auto& alice = *w.domains.directory.find_login("alice@own.example");
  EXPECT_TRUE(w.upgrading.still_holds(alice, before.credential)) << "the session goes on";
  const auto after = w.log_in("correct horse");
  EXPECT_EQ(after.verdict, PasswordVerdict::right);
  EXPECT_EQ(after.credential, *w.kept);
  EXPECT_EQ(w.asked.size(), 1U);

  w.domains = domains_with_hash(crypto::hash_password("a new one", cheap_cost).value());
  const auto& changed = *w.domains.directory.find_login("alice@own.example");
  EXPECT_FALSE(w.upgrading.still_holds(changed, before.credential));
  EXPECT_FALSE(w.upgrading.still_holds(changed, after.credential));
}

TEST(Authenticator, lets_in_by_another_servers_hash_where_it_cannot_be_upgraded) {
  UpgradeWorld w;
  EXPECT_EQ(w.log_in("correct horse").verdict, PasswordVerdict::right);
  w.loop.run_for(minutes(6));
  EXPECT_EQ(w.log_in("correct horse").verdict, PasswordVerdict::right);
  EXPECT_EQ(w.asked.size(), 2U);
  EXPECT_EQ(w.log_in("wrong").verdict, PasswordVerdict::wrong);
}

}  // namespace
}  // namespace tapal::intake
