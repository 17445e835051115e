#include "services/intake/authenticator.h"

#include <gtest/gtest.h>

#include "ports/test_fakes.h"
#include "ports/test_loop.h"
#include "services/intake/test_domains.h"

namespace tapal::intake {
namespace {

using sasl::PasswordVerdict;

struct World {
  VirtualLoop loop;
  SeededRandom random;
  InlineWorkers workers;
  Authenticator authenticator{workers, loop, random, {}, cheap_cost};
  Domains domains = test_domains();

  PasswordVerdict check(std::string login, std::string password) {
    return loop
        .wait(authenticator.check_password(
            loop, domains.directory, std::move(login), std::move(password)))
        .value();
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
  EXPECT_EQ(w.check("alice@own.example", "wrong"), PasswordVerdict::unavailable);
  w.workers.busy = false;
  EXPECT_EQ(w.check("alice@own.example", "alice's secret"), PasswordVerdict::right);
  EXPECT_EQ(w.workers.calls, 1U);
  w.loop.run_for(std::chrono::minutes(6));
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

}  // namespace
}  // namespace tapal::intake
