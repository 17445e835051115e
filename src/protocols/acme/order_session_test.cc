#include "protocols/acme/order_session.h"

#include <gtest/gtest.h>

#include "protocols/acme/test_authority.h"
#include "values/crypto/json_web_signature.h"
#include "values/crypto/test_keys.h"

namespace tapal::acme {
namespace {

namespace json = boost::json;
using std::chrono::seconds;

constexpr WallTime now{std::chrono::days(20'819)};
constexpr const char* directory = "https://ca.example/directory";

// One order played to its end with an authority that can be told to misbehave.
struct OrderWorld {
  crypto::PrivateKey account_key = crypto::PrivateKey::from_pem(crypto::test_keys::ec_p256).value();
  crypto::PrivateKey key = crypto::PrivateKey::generate_ec_p256().value();
  TestAuthority authority{key, now};
  OrderWish wish{.directory_url = directory,
                 .names = {"mail.example.org"},
                 .contact = "ann@example.org",
                 .kinds = {ChallengeKind::http_01, ChallengeKind::dns_01}};
  OrderLimits limits;
  Result<void> preparation;
  std::function<bool(const OrderSession::Send&)> is_cut;  // the network; empty: never

  std::vector<Proof> proofs;
  seconds waited{0};
  std::string account_url;
  std::size_t requests = 0;

  std::variant<OrderSession::Issued, OrderSession::Failed> play() {
    OrderSession session(wish, account_key, key, limits);
    for (;;) {
      const auto action = session.next_action();
      account_url = session.account_url();
      if (const auto* issued = std::get_if<OrderSession::Issued>(&action)) return *issued;
      if (const auto* failed = std::get_if<OrderSession::Failed>(&action)) return *failed;
      if (const auto* prepare = std::get_if<OrderSession::Prepare>(&action)) {
        proofs = prepare->proofs;
        session.on_prepared(preparation);
      } else if (const auto* wait = std::get_if<OrderSession::Wait>(&action)) {
        waited += wait->time;
        session.on_waited();
      } else if (const auto& send = std::get<OrderSession::Send>(action);
                 ++requests > 5'000 || (is_cut && is_cut(send))) {
        session.on_unreachable({Code::timed_out, "ca.example: no answer"});
      } else {
        session.on_response(authority.answer(send), now);
      }
    }
  }
  std::string chain() {
    const auto end = play();
    if (const auto* failed = std::get_if<OrderSession::Failed>(&end))
      return "failed: " + failed->problem.text();
    return std::get<OrderSession::Issued>(end).chain_pem;
  }
  Problem problem() {
    const auto end = play();
    const auto* failed = std::get_if<OrderSession::Failed>(&end);
    return failed != nullptr ? failed->problem : local_problem("it was issued");
  }
  bool is_issued() { return chain().starts_with("-----BEGIN CERTIFICATE-----"); }
};

TEST(OrderSession, goes_from_names_to_a_chain) {
  OrderWorld world;
  world.authority.polls_until_valid = 3;
  world.authority.polls_until_issued = 2;
  const auto chain = crypto::read_certificate(world.chain());
  ASSERT_TRUE(chain);
  EXPECT_EQ(chain->names, world.wish.names);
  EXPECT_EQ(world.account_url, "https://ca.example/account/1");
  EXPECT_EQ(world.waited, seconds(5));

  ASSERT_EQ(world.proofs.size(), 1U);
  const auto& proof = world.proofs.front();
  EXPECT_EQ(proof.kind, ChallengeKind::http_01);
  EXPECT_EQ(proof.name, "mail.example.org");
  const auto thumbprint = crypto::json_web_key_thumbprint(*crypto::json_web_key(world.account_key));
  EXPECT_EQ(proof.key_authorization, "evaGxfADs6pSRb2LAv9IZ0." + thumbprint);

  const auto account = world.authority.seen_at("/new-account").at(0);
  EXPECT_EQ(account.payload,
            R"({"termsOfServiceAgreed":true,"contact":["mailto:ann@example.org"]})");
  EXPECT_EQ(world.authority.seen_at("/new-order").at(0).payload,
            R"({"identifiers":[{"type":"dns","value":"mail.example.org"}]})");
  EXPECT_EQ(world.authority.seen_at("/challenge/0").at(0).payload, "{}");
  EXPECT_EQ(world.authority.seen_at("/certificate").at(0).payload, "");
}

TEST(OrderSession, proves_a_name_and_its_wildcard_at_one_record) {
  OrderWorld world;
  world.wish.names = {"example.org", "*.example.org"};
  world.wish.kinds = {ChallengeKind::dns_01};
  EXPECT_TRUE(world.is_issued());
  ASSERT_EQ(world.proofs.size(), 2U);
  EXPECT_EQ(world.proofs[0].record_name(), "_acme-challenge.example.org");
  EXPECT_EQ(world.proofs[1].record_name(), "_acme-challenge.example.org");
  EXPECT_TRUE(world.proofs[1].is_wildcard);
  EXPECT_NE(world.proofs[0].record_value, world.proofs[1].record_value);
  EXPECT_EQ(
      world.proofs[0].record_value,
      text::to_base64_url(crypto::bytes_of(crypto::sha256(world.proofs[0].key_authorization))));
}

TEST(OrderSession, names_the_record_that_dns_persist_01_wants) {
  OrderWorld world;
  world.authority.kinds = {"dns-persist-01", "dns-01"};
  world.wish.names = {"*.example.org"};
  world.wish.kinds = {ChallengeKind::dns_persist_01, ChallengeKind::dns_01};
  EXPECT_TRUE(world.is_issued());
  ASSERT_EQ(world.proofs.size(), 1U);
  EXPECT_EQ(world.proofs[0].record_name(), "_validation-persist.example.org");
  EXPECT_EQ(world.proofs[0].record_value,
            "ca.example; accounturi=https://ca.example/account/1; policy=wildcard");
}

TEST(OrderSession, with_a_known_account_makes_none) {
  OrderWorld world;
  world.wish.account_url = "https://ca.example/account/7";
  EXPECT_TRUE(world.is_issued());
  EXPECT_TRUE(world.authority.seen_at("/new-account").empty());
  const auto orders = world.authority.seen_at("/new-order");
  EXPECT_EQ(orders.at(0).header.at("kid").as_string(), "https://ca.example/account/7");
}

TEST(OrderSession, whose_account_is_gone_makes_another) {
  OrderWorld world;
  world.wish.account_url = "https://ca.example/account/7";
  world.authority.instead = [](const auto& path, int times) -> std::optional<http::Response> {
    if (path != "/new-order" || times > 1) return {};
    return TestAuthority::problem(400, "accountDoesNotExist", "who?");
  };
  EXPECT_TRUE(world.is_issued());
  EXPECT_EQ(world.account_url, "https://ca.example/account/1");
}

TEST(OrderSession, binds_an_external_account) {
  OrderWorld world;
  world.authority.more_in_directory = R"(,"meta":{"externalAccountRequired":true})";
  EXPECT_EQ(world.problem().type, "externalAccountRequired");
  world.wish.external = ExternalAccount{"kid-1", "secret"};
  EXPECT_TRUE(world.is_issued());
  const auto account = json::parse(world.authority.seen_at("/new-account").at(0).payload);
  const auto& binding = account.at("externalAccountBinding").as_object();
  const auto jwk = *crypto::json_web_key(world.account_key);
  EXPECT_EQ(json::serialize(binding),
            crypto::sign_json_hs256(
                "secret",
                R"({"alg":"HS256","kid":"kid-1","url":"https://ca.example/new-account"})",
                jwk));
}

TEST(OrderSession, tries_again_with_each_new_nonce) {
  OrderWorld world;
  world.authority.instead = [](const auto& path, int times) -> std::optional<http::Response> {
    if (path == "/directory" || path == "/nonce" || times % 2 == 0) return {};
    return TestAuthority::problem(400, "badNonce", "no");
  };
  EXPECT_TRUE(world.is_issued());
  EXPECT_EQ(world.waited, seconds(0));

  OrderWorld never;
  never.authority.instead = [](const auto& path, int) -> std::optional<http::Response> {
    if (path == "/directory" || path == "/nonce") return {};
    return TestAuthority::problem(400, "badNonce", "no");
  };
  EXPECT_EQ(never.problem().type, "badNonce");
  EXPECT_LT(never.requests, 30U);
}

TEST(OrderSession, asks_for_a_profile_that_is_there) {
  OrderWorld world;
  world.wish.profile = "shortlived";
  EXPECT_EQ(world.problem().detail, "the authority has no profile \"shortlived\"; it has: none");
  world.authority.more_in_directory =
      R"(,"meta":{"profiles":{"classic":"90 days","shortlived":"6 days"}})";
  EXPECT_TRUE(world.is_issued());
  EXPECT_EQ(
      world.authority.seen_at("/new-order").at(0).payload,
      R"({"identifiers":[{"type":"dns","value":"mail.example.org"}],"profile":"shortlived"})");
}

TEST(OrderSession, says_what_it_replaces_only_where_that_is_understood) {
  OrderWorld world;
  world.wish.replaces = "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE";
  EXPECT_TRUE(world.is_issued());
  EXPECT_FALSE(world.authority.seen_at("/new-order").at(0).payload.contains("replaces"));

  OrderWorld known;
  known.wish.replaces = "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE";
  known.authority.more_in_directory = R"(,"renewalInfo":"https://ca.example/renewal")";
  known.authority.instead = [](const auto& path, int times) -> std::optional<http::Response> {
    if (path != "/new-order" || times > 1) return {};
    return TestAuthority::problem(409, "alreadyReplaced", "done before");
  };
  EXPECT_TRUE(known.is_issued());
  const auto orders = known.authority.seen_at("/new-order");
  ASSERT_EQ(orders.size(), 2U);
  EXPECT_TRUE(orders[0].payload.contains(R"("replaces":"aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE")"));
  EXPECT_FALSE(orders[1].payload.contains("replaces"));
}

TEST(OrderSession, pauses_as_long_as_it_is_asked_to) {
  OrderWorld world;
  world.authority.instead = [](const auto& path, int times) -> std::optional<http::Response> {
    if (path != "/new-order" || times > 2) return {};
    auto busy = TestAuthority::problem(503, "serverInternal", "busy");
    busy.headers.push_back({"Retry-After", "17"});
    return busy;
  };
  EXPECT_TRUE(world.is_issued());
  EXPECT_EQ(world.waited, seconds(34));
}

TEST(OrderSession, ends_where_the_pause_would_be_long) {
  OrderWorld world;
  world.authority.instead = [](const auto& path, int) -> std::optional<http::Response> {
    if (path != "/new-order") return {};
    auto limited = TestAuthority::problem(429, "rateLimited", "too many certificates");
    limited.headers.push_back({"Retry-After", "3600"});
    return limited;
  };
  const auto problem = world.problem();
  EXPECT_EQ(problem.type, "rateLimited");
  EXPECT_EQ(problem.detail, "too many certificates");
  EXPECT_EQ(problem.retry_after, seconds(3600));
  EXPECT_EQ(world.waited, seconds(0));
}

TEST(OrderSession, that_is_refused_names_each_name) {
  OrderWorld world;
  world.wish.names = {"a.example.org", "b.example.org"};
  world.authority.is_refusing = true;
  const auto problem = world.problem();
  const std::vector<Subproblem> wanted = {{"connection", "refused", "a.example.org"},
                                          {"connection", "refused", "b.example.org"}};
  EXPECT_EQ(problem.subproblems, wanted);
  EXPECT_TRUE(problem.hint().starts_with("the authority cannot reach this machine"));
}

TEST(OrderSession, ends_with_what_kept_it_from_preparing) {
  OrderWorld world;
  world.preparation = fail(Code::try_later, "ns2.example.org does not show the record");
  EXPECT_EQ(world.problem().detail, "ns2.example.org does not show the record");
  EXPECT_TRUE(world.authority.seen_at("/challenge/0").empty());
}

TEST(OrderSession, that_can_answer_nothing_that_is_offered_says_so) {
  OrderWorld world;
  world.wish.names = {"*.example.org"};
  world.wish.kinds = {ChallengeKind::tls_alpn_01};
  EXPECT_EQ(world.problem().detail,
            "for *.example.org the authority offers dns-01, and here is possible: tls-alpn-01; a "
            "wildcard takes dns-01, which needs a DNS account (the settings of [dns])");
}

TEST(OrderSession, survives_a_network_that_fails_now_and_then) {
  OrderWorld world;
  std::size_t count = 0;
  world.is_cut = [&count](const auto&) { return ++count % 4 == 0; };
  EXPECT_TRUE(world.is_issued());
  OrderWorld dead;
  dead.is_cut = [](const auto&) { return true; };
  EXPECT_EQ(dead.problem().detail, "ca.example: no answer");
  EXPECT_EQ(dead.requests, 6U);
}

struct BadAnswer {
  const char* path;
  http::Response response;
  const char* detail;  // a part of it
};

TEST(OrderSession, believes_no_nonsense) {
  const std::vector<BadAnswer> cases = {
      {"/directory", {200, {}, "<html>"}, "is no directory"},
      {"/directory", {404, {}, ""}, "status 404"},
      {"/new-account", {201, {}, "{}"}, "where the account is"},
      {"/new-order", {201, {{"Location", "https://ca.example/order/1"}}, "{}"}, "0 authorizations"},
      {"/new-order",
       {201,
        {{"Location", "https://ca.example/order/1"}},
        R"({"status":"pending","authorizations":["http://ca.example/authorization/0"],"finalize":"https://ca.example/finalize"})"},
       "not https"},
      {"/new-order",
       {201,
        {{"Location", "https://ca.example/order/1"}},
        R"({"status":"pending","authorizations":["http+unix:///run/x:/y"],"finalize":"https://ca.example/finalize"})"},
       "no web address"},
      {"/authorization/0",
       {200,
        {},
        R"({"status":"pending","identifier":{"value":"other.example.org"},"challenges":[]})"},
       "which was not ordered"},
      {"/authorization/0",
       {200,
        {},
        R"({"status":"pending","identifier":{"value":"mail.example.org"},"challenges":[{"type":"http-01","url":"https://ca.example/challenge/0","token":"../../../../../../../etc/passwd"}]})"},
       "the authority offers "},
      {"/order/1",
       {200,
        {},
        R"({"status":"invalid","authorizations":["https://ca.example/authorization/0"],"finalize":"https://ca.example/finalize","error":{"detail":"no"}})"},
       "no"},
      {"/certificate", {200, {}, "no certificate"}, "what the authority issued"},
      {"/certificate",
       {200,
        {},
        crypto::make_self_signed({"mail.example.org"},
                                 *crypto::PrivateKey::generate_ec_p256(),
                                 {now, now + std::chrono::days(1)})
            .value()},
       "for another key"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.path + c.response.body);
    OrderWorld world;
    world.authority.instead = [&c](const auto& path, int) -> std::optional<http::Response> {
      if (path != c.path) return {};
      return c.response;
    };
    EXPECT_TRUE(world.problem().detail.contains(c.detail)) << world.problem().detail;
  }
  OrderWorld world;
  world.authority.certified_names = {"other.example.org"};
  EXPECT_EQ(world.problem().detail, "what the authority issued is not for mail.example.org");
}

TEST(OrderSession, takes_the_chain_that_is_preferred_where_there_is_one) {
  OrderWorld world;
  const auto chain_by = [&world](const std::string& issuer) {
    const crypto::Validity validity{now, now + std::chrono::days(1)};
    return crypto::make_self_signed({issuer, "mail.example.org"}, world.key, validity).value();
  };
  const auto first = chain_by("first.example");
  const auto second = chain_by("second.example");
  std::string alternate = second;
  world.authority.instead = [&](const auto& path, int) -> std::optional<http::Response> {
    const auto* link = "<https://ca.example/certificate/1>; rel=\"alternate\"";
    if (path == "/certificate")
      return http::Response{
          200, {{"Link", "<https://ca.example/directory>;rel=\"index\""}, {"Link", link}}, first};
    if (path == "/certificate/1") return http::Response{200, {}, alternate};
    return {};
  };
  EXPECT_EQ(world.chain(), first);
  world.wish.preferred_chain = "second.example";
  EXPECT_EQ(world.chain(), second);
  world.wish.preferred_chain = "nobody";
  EXPECT_EQ(world.chain(), first);
  world.wish.preferred_chain = "second.example";
  alternate = "no chain";
  EXPECT_EQ(world.chain(), first);
}

TEST(OrderSession, does_not_wait_for_ever) {
  OrderWorld world;
  world.authority.polls_until_valid = 1'000'000;
  EXPECT_EQ(world.problem().detail, "the authority has not made up its mind in all this time");
  EXPECT_LE(world.waited, seconds(1200));
}

}  // namespace
}  // namespace tapal::acme
