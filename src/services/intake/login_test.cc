#include "services/intake/login.h"

#include <gtest/gtest.h>

#include "ports/test_fakes.h"
#include "ports/test_loop.h"
#include "ports/test_stream.h"
#include "protocols/sasl/client_exchange.h"
#include "services/intake/test_domains.h"

namespace tapal::intake {
namespace {

using sasl::Mechanism;

struct NoTls : TlsServer, TlsClient {};

// What an exchange came to: "alice@own.example", or the reply's beginning.
struct World {
  VirtualLoop loop;
  SeededRandom random;
  InlineWorkers workers;
  Authenticator authenticator{workers, loop, random, {.password_cost = cheap_cost}};
  Domains domains = test_domains();
  std::string binding;
  IpAddress peer = IpAddress::from_text("192.0.2.7").value();

  std::string outcome_of(const sasl::ServerStep& step) {
    if (const auto* success = std::get_if<sasl::Success>(&step)) return success->user;
    return smtp::one_line(reply_to(std::get<sasl::Failure>(step))).substr(0, 9);
  }
  std::string play(Mechanism mechanism, const std::string& user, const std::string& password) {
    Login login(loop, authenticator, random, peer);
    return play(login, mechanism, user, password);
  }
  std::string play(Login& login,
                   Mechanism mechanism,
                   const std::string& user,
                   const std::string& password) {
    sasl::ClientExchangeOptions options{.nonce = "abcdefghijklmnopqrstuvwx", .bindings = {}};
    auto pipe = PipeStream::make(loop, {.channel_binding = binding});
    if (!binding.empty()) {
      NoTls tls;
      TaskGroup group;
      const auto shake = [](Stream& stream, TlsClient& to) -> Task<void> {
        static_cast<void>(co_await stream.connect_tls(to, {}, never));
      };
      group.spawn(shake(*pipe.client, tls));
      loop.wait(pipe.server->accept_tls(tls, never));
      login.on_tls(*pipe.server);
      options.bindings.tls_exporter = binding;
      options.plus_offered = true;
    }
    sasl::ClientExchange client(mechanism, {user, password}, options);
    auto initial = client.start().value();
    auto step = login.start(sasl::name_of(mechanism), initial);
    for (;;) {
      step = loop.wait(login.follow(domains, std::move(step))).value();
      const auto* challenge = std::get_if<sasl::Challenge>(&step);
      if (challenge == nullptr) return outcome_of(step);
      const auto response = client.on_challenge(challenge->bytes);
      if (!response) return "the client gave up";
      step = login.respond(*response);
    }
  }
};

TEST(Login, gives_the_user_only_for_the_right_password) {
  for (const auto mechanism : {Mechanism::plain, Mechanism::login, Mechanism::scram_sha_256}) {
    SCOPED_TRACE(sasl::name_of(mechanism));
    World w;
    EXPECT_EQ(w.play(mechanism, "alice@own.example", "alice's secret"), "alice@own.example");
    EXPECT_EQ(w.play(mechanism, "Alice@OWN.example", "alice's secret"), "alice@own.example");
    EXPECT_EQ(w.play(mechanism, "alice@own.example", "wrong"), "535 5.7.8");
    EXPECT_EQ(w.play(mechanism, "nobody@own.example", "alice's secret"), "535 5.7.8");
    EXPECT_EQ(w.play(mechanism, "alice", "alice's secret"), "535 5.7.8");
    EXPECT_EQ(w.play(mechanism, "bob@own.example", "alice's secret"), "535 5.7.8");
  }
}

TEST(Login, binds_scram_to_the_connection) {
  World w;
  w.binding = "what the connection is";
  EXPECT_EQ(w.play(Mechanism::scram_sha_256_plus, "alice@own.example", "alice's secret"),
            "alice@own.example");
  EXPECT_EQ(w.play(Mechanism::scram_sha_256_plus, "alice@own.example", "wrong"), "535 5.7.8");
}

TEST(Login, says_454_when_the_workers_are_busy) {
  World w;
  w.workers.busy = true;
  EXPECT_EQ(w.play(Mechanism::plain, "alice@own.example", "alice's secret"), "454 4.7.0");
  EXPECT_EQ(w.play(Mechanism::login, "nobody@own.example", "x"), "454 4.7.0");
  // SCRAM costs little and needs no worker.
  EXPECT_EQ(w.play(Mechanism::scram_sha_256, "alice@own.example", "alice's secret"),
            "alice@own.example");
}

TEST(Login, refuses_what_is_no_exchange) {
  World w;
  Login login(w.loop, w.authenticator, w.random, w.peer);
  EXPECT_EQ(w.outcome_of(login.start("CRAM-MD5", {})), "501 5.5.2");
  EXPECT_EQ(w.outcome_of(login.respond("x")), "501 5.5.2");
  const auto step = w.loop.wait(login.follow(w.domains, login.start("PLAIN", "no zero bytes")));
  EXPECT_EQ(w.outcome_of(step.value()), "501 5.5.2");
  EXPECT_EQ(w.outcome_of(login.respond("x")), "501 5.5.2");  // it is over
}

TEST(Login, takes_application_passwords_by_plain_and_login_only) {
  World w;
  const std::string typed(app_password);
  EXPECT_EQ(w.play(Mechanism::plain, "alice@own.example", typed), "alice@own.example");
  EXPECT_EQ(w.play(Mechanism::login, "alice@own.example", typed), "alice@own.example");
  EXPECT_EQ(w.play(Mechanism::scram_sha_256, "alice@own.example", typed), "535 5.7.8");
}

TEST(Login, holds_back_and_then_refuses_guesses_by_any_mechanism_and_any_name_alike) {
  for (const auto mechanism : {Mechanism::plain, Mechanism::login, Mechanism::scram_sha_256}) {
    for (const std::string user : {"alice@own.example", "nobody@own.example"}) {
      SCOPED_TRACE(fmt::format("{} {}", sasl::name_of(mechanism), user));
      World w;
      const auto start = w.loop.now();
      for (int i = 0; i < 10; ++i)
        EXPECT_EQ(w.play(mechanism, user, std::to_string(i)), "535 5.7.8");
      EXPECT_EQ(w.loop.now() - start, Duration(std::chrono::seconds(19)));
      EXPECT_EQ(w.play(mechanism, user, "alice's secret"), "454 4.7.0");
      EXPECT_EQ(w.loop.now() - start, Duration(std::chrono::seconds(19)));
      w.peer = IpAddress::from_text("198.51.100.1").value();
      EXPECT_EQ(w.play(mechanism, "bob@own.example", "bob's secret"), "bob@own.example");
    }
  }
}

TEST(Login, counts_exchanges_that_were_begun_before_the_limit_was_reached) {
  World w;
  std::vector<std::unique_ptr<Login>> begun;
  std::vector<sasl::ClientExchange> clients;
  int refused = 0;
  int denied = 0;
  for (int i = 0; i < 30; ++i) {
    begun.push_back(std::make_unique<Login>(w.loop, w.authenticator, w.random, w.peer));
    sasl::ClientExchangeOptions options{.nonce = "abcdefghijklmnopqrstuvwx", .bindings = {}};
    clients.emplace_back(Mechanism::scram_sha_256,
                         sasl::Credentials{"alice@own.example", std::to_string(i)},
                         options);
    auto step = begun.back()->start("SCRAM-SHA-256", clients.back().start().value());
    step = w.loop.wait(begun.back()->follow(w.domains, std::move(step))).value();
    ASSERT_TRUE(std::holds_alternative<sasl::Challenge>(step));
    const auto proof = clients.back().on_challenge(std::get<sasl::Challenge>(step).bytes);
    ASSERT_TRUE(proof);
    if (i < 29) continue;
    for (std::size_t each = 0; each < begun.size(); ++each) {
      auto last = begun[each]->respond(*proof);
      last = w.loop.wait(begun[each]->follow(w.domains, std::move(last))).value();
      (w.outcome_of(last) == "454 4.7.0" ? refused : denied) += 1;
    }
  }
  EXPECT_EQ(denied, 10);
  EXPECT_EQ(refused, 20);
}

TEST(Login, counts_no_longer_once_its_password_is_changed_or_taken_back) {
  World w;
  const auto logged_in = [&w](Mechanism mechanism, std::string_view password) {
    auto login = std::make_unique<Login>(w.loop, w.authenticator, w.random, w.peer);
    EXPECT_TRUE(login->still_counts(w.domains));
    EXPECT_EQ(w.play(*login, mechanism, "alice@own.example", std::string(password)),
              "alice@own.example");
    return login;
  };
  const auto by_own = logged_in(Mechanism::plain, "alice's secret");
  const auto by_scram = logged_in(Mechanism::scram_sha_256, "alice's secret");
  const auto by_app = logged_in(Mechanism::plain, app_password);
  EXPECT_TRUE(by_own->still_counts(w.domains));
  EXPECT_TRUE(by_scram->still_counts(w.domains));
  EXPECT_TRUE(by_app->still_counts(w.domains));

  auto alice = *w.domains.directory.find_login("alice@own.example");
  const auto with = [](const account::UserRecord& user) {
    Domains domains;
    domains.directory.add_domain("own.example", {user});
    return domains;
  };
  auto without_app = alice;
  without_app.app_passwords.clear();
  EXPECT_TRUE(by_own->still_counts(with(without_app)));
  EXPECT_FALSE(by_app->still_counts(with(without_app)));
  auto with_new_password = alice;
  with_new_password.password_hash = "$argon2id$new";
  EXPECT_FALSE(by_own->still_counts(with(with_new_password)));
  EXPECT_FALSE(by_scram->still_counts(with(with_new_password)));
  EXPECT_TRUE(by_app->still_counts(with(with_new_password)));
  EXPECT_FALSE(by_app->still_counts(Domains{}));
}

}  // namespace
}  // namespace tapal::intake
