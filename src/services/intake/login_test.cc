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
  Authenticator authenticator{workers, loop, random, {}, cheap_cost};
  Domains domains = test_domains();
  std::string binding;

  std::string outcome_of(const sasl::ServerStep& step) {
    if (const auto* success = std::get_if<sasl::Success>(&step)) return success->user;
    return smtp::one_line(reply_to(std::get<sasl::Failure>(step))).substr(0, 9);
  }
  std::string play(Mechanism mechanism, const std::string& user, const std::string& password) {
    Login login(loop, authenticator, random);
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
  Login login(w.loop, w.authenticator, w.random);
  EXPECT_EQ(w.outcome_of(login.start("CRAM-MD5", {})), "501 5.5.2");
  EXPECT_EQ(w.outcome_of(login.respond("x")), "501 5.5.2");
  const auto step = w.loop.wait(login.follow(w.domains, login.start("PLAIN", "no zero bytes")));
  EXPECT_EQ(w.outcome_of(step.value()), "501 5.5.2");
  EXPECT_EQ(w.outcome_of(login.respond("x")), "501 5.5.2");  // it is over
}

}  // namespace
}  // namespace tapal::intake
