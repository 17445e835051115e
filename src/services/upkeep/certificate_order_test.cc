#include "services/upkeep/certificate_order.h"

#include <gtest/gtest.h>

#include "services/upkeep/test_certificates.h"
#include "values/crypto/certificate.h"

namespace tapal::upkeep {
namespace {

using acme::ChallengeKind;
using std::chrono::seconds;

struct CertificateOrderTest : testing::Test, OrderTestWorld {
  crypto::PrivateKey account_key = crypto::PrivateKey::generate_ec_p256().value();
  acme::OrderWish wish{.directory_url = "https://ca.example/directory",
                       .names = {"mail.example.org"},
                       .kinds = {ChallengeKind::http_01}};
  OrderWorld world = order_world();

  OrderEnd run() {
    CertificateOrder order(world, wish, account_key, key);
    auto end = loop.wait(order.run());
    EXPECT_TRUE(end);
    return *std::move(end);
  }
  std::string problem() {
    const auto end = run();
    return end.chain_pem ? "it was issued" : end.chain_pem.error().text();
  }
};

struct LaggingServers final : RecordWatch {
  Task<Result<std::string>> lagging(Loop&, dns::Lookup, dns::Data) override {
    ++asked;
    co_return asked > until ? std::string() : "ns2.example.org";
  }
  int asked = 0;
  int until = 0;
};

TEST_F(CertificateOrderTest, shows_a_token_on_port_80_while_it_is_asked_for) {
  std::size_t shown = 0;
  http.before_answer = [&](const HttpRequest& request) {
    EXPECT_EQ(request.headers.back(), (http::Header{"User-Agent", "tapal/test"}));
    if (request.url == "https://ca.example/challenge/0")
      shown += board.http("evaGxfADs6pSRb2LAv9IZ0").has_value() ? 1U : 0U;
  };
  const auto end = run();
  ASSERT_TRUE(end.chain_pem) << end.chain_pem.error().text();
  EXPECT_EQ(end.account_url, "https://ca.example/account/1");
  EXPECT_EQ(shown, 1U);
  EXPECT_FALSE(board.http("evaGxfADs6pSRb2LAv9IZ0"));
}

TEST_F(CertificateOrderTest, shows_a_certificate_on_port_443) {
  wish.kinds = {ChallengeKind::tls_alpn_01};
  std::vector<std::string> shown_for;
  http.before_answer = [&](const HttpRequest& request) {
    if (request.url != "https://ca.example/challenge/0") return;
    const auto answer = board.tls("mail.example.org");
    ASSERT_TRUE(answer);
    shown_for = crypto::read_certificate(answer->chain_pem)->names;
    EXPECT_TRUE(crypto::certificate_fits(answer->chain_pem,
                                         *crypto::PrivateKey::from_pem(answer->key_pem)));
  };
  EXPECT_TRUE(run().chain_pem);
  EXPECT_EQ(shown_for, wish.names);
  EXPECT_FALSE(board.tls("mail.example.org"));
}

TEST_F(CertificateOrderTest, writes_two_texts_at_one_name_for_a_wildcard) {
  wish.names = {"example.org", "*.example.org"};
  wish.kinds = {ChallengeKind::dns_01};
  EXPECT_TRUE(run().chain_pem);
  ASSERT_EQ(texts.seen.size(), 2U);
  for (const auto& [name, value] : texts.seen) EXPECT_EQ(name, "_acme-challenge.example.org");
  EXPECT_TRUE(texts.texts.empty());
}

TEST_F(CertificateOrderTest, follows_an_alias_to_where_the_text_belongs) {
  wish.kinds = {ChallengeKind::dns_01};
  DnsAnswer alias;
  alias.canonical_name = "a1b2.challenges.example.net";
  names.set("_acme-challenge.mail.example.org", dns::Type::txt, alias);
  EXPECT_TRUE(run().chain_pem);
  ASSERT_EQ(texts.seen.size(), 1U);
  EXPECT_EQ(texts.seen.begin()->first, "a1b2.challenges.example.net");
}

TEST_F(CertificateOrderTest, waits_until_every_server_shows_the_text) {
  wish.kinds = {ChallengeKind::dns_01};
  LaggingServers servers;
  servers.until = 4;
  world.watch = &servers;
  const auto start = loop.now();
  EXPECT_TRUE(run().chain_pem);
  EXPECT_EQ(loop.now() - start, seconds(20));

  servers.until = 1'000'000;
  EXPECT_EQ(problem(),
            "the TXT record of _acme-challenge.mail.example.org was written, but is not shown by "
            "ns2.example.org");
  EXPECT_TRUE(texts.texts.empty());
}

TEST_F(CertificateOrderTest, looks_at_caa_before_anything_is_shown) {
  authority.more_in_directory = R"(,"meta":{"caaIdentities":["ca.example"]})";
  names.add(
      "example.org", dns::Type::caa, dns::RawData{std::string("\0\x05issueother.example", 20)});
  wish.kinds = {ChallengeKind::dns_01};
  EXPECT_TRUE(problem().starts_with("the CAA records of example.org do not let this authority"));
  EXPECT_TRUE(texts.seen.empty());
}

TEST_F(CertificateOrderTest, takes_a_persistent_record_that_is_there) {
  authority.kinds = {"dns-persist-01"};
  wish.kinds = {ChallengeKind::dns_persist_01};
  EXPECT_EQ(problem(),
            "dns-persist-01 needs a record that is not there: "
            "_validation-persist.mail.example.org. TXT \"ca.example; "
            "accounturi=https://ca.example/account/1\"");
  names.add("_validation-persist.mail.example.org",
            dns::Type::txt,
            dns::Text{"ca.example;accounturi=https://ca.example/account/1"});
  EXPECT_TRUE(run().chain_pem);
}

TEST_F(CertificateOrderTest, writes_a_persistent_record_where_it_may_and_lets_it_stay) {
  authority.kinds = {"dns-persist-01"};
  wish.kinds = {ChallengeKind::dns_persist_01};
  LaggingServers servers;
  servers.until = 1;
  world.watch = &servers;
  world.lasting_texts = &texts;
  EXPECT_TRUE(run().chain_pem);
  EXPECT_EQ(servers.asked, 2);
  const std::pair<std::string, std::string> record{
      "_validation-persist.mail.example.org",
      "ca.example; accounturi=https://ca.example/account/1"};
  EXPECT_EQ(texts.texts, std::set{record});
}

TEST_F(CertificateOrderTest, says_why_a_text_cannot_be_written) {
  wish.kinds = {ChallengeKind::dns_01};
  texts.refusal = "Cloudflare: the token does not reach this zone";
  EXPECT_EQ(problem(),
            "the TXT record of _acme-challenge.mail.example.org cannot be written: Cloudflare: the "
            "token does not reach this zone");
  world.texts = nullptr;
  EXPECT_EQ(problem(), "dns-01 needs a DNS account: see the settings of [dns]");
}

TEST_F(CertificateOrderTest, can_be_stopped_at_any_time) {
  authority.polls_until_valid = 1'000'000;
  CertificateOrder order(world, wish, account_key, key);
  TaskGroup group;
  std::optional<OrderEnd> end;
  const auto run = [](CertificateOrder& it, std::optional<OrderEnd>& into) -> Task<void> {
    into.emplace(co_await it.run());
  };
  group.spawn(run(order, end));
  loop.run_for(seconds(10));
  EXPECT_FALSE(end);
  order.stop();
  loop.run_for(seconds(1));
  ASSERT_TRUE(end);
  EXPECT_EQ(end->chain_pem.error().text(), "the order was stopped");
  EXPECT_FALSE(board.http("evaGxfADs6pSRb2LAv9IZ0"));
}

}  // namespace
}  // namespace tapal::upkeep
