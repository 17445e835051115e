#include "protocols/acme/errand.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "protocols/acme/test_authority.h"
#include "values/crypto/json_web_signature.h"

namespace tapal::acme {
namespace {

struct ErrandTest : testing::Test {
  crypto::PrivateKey account_key = crypto::PrivateKey::generate_ec_p256().value();
  crypto::PrivateKey new_key = crypto::PrivateKey::generate_ec_p256().value();
  TestAuthority authority{account_key, WallTime(std::chrono::days(20'000))};

  ErrandTest() {
    authority.more_in_directory =
        R"(,"revokeCert":"https://ca.example/revoke","keyChange":"https://ca.example/key")";
    authority.instead = [](const std::string& path, int) -> std::optional<http::Response> {
      if (path == "/revoke" || path == "/key") return http::Response{200, {}, {}};
      return {};
    };
  }
  std::string run(Errand::Wish wish) {
    Errand errand("https://ca.example/directory",
                  {account_key, "https://ca.example/account/1"},
                  std::move(wish));
    for (int i = 0; i < 100; ++i) {
      auto action = errand.next_action();
      if (std::holds_alternative<Errand::Done>(action)) return "done";
      if (const auto* failed = std::get_if<OrderSession::Failed>(&action))
        return failed->problem.text();
      errand.on_response(authority.answer(std::get<OrderSession::Send>(action)), authority.now);
    }
    return "it asks and asks";
  }
};

TEST_F(ErrandTest, revokes_in_the_name_of_the_account) {
  EXPECT_EQ(run(Errand::Revocation{"\x30\x01", RevocationReason::superseded}), "done");
  const auto seen = authority.seen_at("/revoke");
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen[0].payload, R"({"certificate":"MAE","reason":4})");
  EXPECT_EQ(seen[0].header.at("kid").as_string(), "https://ca.example/account/1");
}

TEST_F(ErrandTest, has_the_new_key_sign_that_it_takes_the_account_over) {
  EXPECT_EQ(run(Errand::KeyChange{new_key}), "done");
  const auto seen = authority.seen_at("/key");
  ASSERT_EQ(seen.size(), 1U);
  const auto inner = boost::json::parse(seen[0].payload).as_object();
  const auto part = [&inner](const char* name) {
    return text::from_base64_url(std::string(inner.at(name).as_string())).value();
  };
  const auto header = boost::json::parse(part("protected")).as_object();
  EXPECT_EQ(header.at("jwk"), boost::json::parse(crypto::json_web_key(new_key).value()));
  EXPECT_EQ(header.at("url").as_string(), "https://ca.example/key");
  EXPECT_FALSE(header.contains("nonce"));
  const auto content = boost::json::parse(part("payload")).as_object();
  EXPECT_EQ(content.at("oldKey"), boost::json::parse(crypto::json_web_key(account_key).value()));
  EXPECT_EQ(content.at("account").as_string(), "https://ca.example/account/1");
}

TEST_F(ErrandTest, takes_another_nonce_where_one_was_too_old) {
  authority.instead = [](const std::string& path, int times) -> std::optional<http::Response> {
    if (path != "/revoke") return {};
    if (times < 3) return TestAuthority::problem(400, "badNonce", "an old nonce");
    return http::Response{200, {}, {}};
  };
  EXPECT_EQ(run(Errand::Revocation{"x"}), "done");
  authority.instead = [](const std::string& path, int) -> std::optional<http::Response> {
    if (path != "/revoke") return {};
    return TestAuthority::problem(400, "badNonce", "an old nonce");
  };
  EXPECT_TRUE(run(Errand::Revocation{"x"}).contains("an old nonce"));
}

TEST_F(ErrandTest, is_content_with_what_is_revoked_already) {
  authority.instead = [](const std::string& path, int) -> std::optional<http::Response> {
    if (path != "/revoke") return {};
    return TestAuthority::problem(400, "alreadyRevoked", "it is");
  };
  EXPECT_EQ(run(Errand::Revocation{"x"}), "done");
}

TEST_F(ErrandTest, tells_that_an_authority_does_no_such_thing) {
  authority.more_in_directory = "";
  EXPECT_EQ(run(Errand::Revocation{"x"}), "the authority revokes no certificates");
  EXPECT_EQ(run(Errand::KeyChange{new_key}), "the authority lets no account change its key");
}

}  // namespace
}  // namespace tapal::acme
