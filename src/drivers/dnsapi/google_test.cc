#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "drivers/dnsapi/service_account.h"
#include "drivers/dnsapi/test_script.h"
#include "values/crypto/key.h"
#include "values/text/ascii.h"
#include "values/text/base64.h"

namespace tapal::dnsapi {
namespace {

using dns::Type;
namespace fs = std::filesystem;

const crypto::PrivateKey& test_key() {
  static const auto key = crypto::PrivateKey::generate_rsa(2048).value();
  return key;
}

std::string key_file() {
  std::string pem;
  for (const char c : test_key().to_pem())
    pem += c == '\n' ? std::string("\\n") : std::string(1, c);
  return R"({"type":"service_account","project_id":"proj","private_key_id":"k1","private_key":")" +
         pem +
         R"(","client_email":"dns@proj.iam.gserviceaccount.com","token_uri":"https://oauth2.googleapis.com/token"})";
}

TEST(ServiceAccount, claims_what_the_token_is_for_signed_by_its_key) {
  const auto account = ServiceAccount::from_json(key_file()).value();
  const WallTime now{std::chrono::seconds(1'800'000'000)};
  const auto token = account.assertion("a-scope", now).value();
  const auto parts = text::split(token, '.');
  ASSERT_EQ(parts.size(), 3U);
  EXPECT_EQ(text::from_base64_url(parts[0]).value(), R"({"alg":"RS256","typ":"JWT","kid":"k1"})");
  EXPECT_EQ(text::from_base64_url(parts[1]).value(),
            R"({"iss":"dns@proj.iam.gserviceaccount.com","scope":"a-scope",)"
            R"("aud":"https://oauth2.googleapis.com/token","iat":1800000000,"exp":1800003600})");
  const auto signature = text::from_base64_url(parts[2]).value();
  const auto signed_text = token.substr(0, token.rfind('.'));
  EXPECT_TRUE(test_key().public_key().verify(crypto::sha256(signed_text), signature));
}

TEST(ServiceAccount, is_refused_with_what_is_wrong_and_without_the_key) {
  const std::string no_key =
      R"({"type":"service_account","project_id":"p","client_email":"e","private_key":"-----BEGIN s3cret"})";
  for (const std::string& text : {std::string("no JSON"), std::string("{}"), no_key}) {
    const auto account = ServiceAccount::from_json(text);
    ASSERT_FALSE(account);
    EXPECT_FALSE(account.error().what.contains("s3cret"));
  }
  EXPECT_EQ(ServiceAccount::from_file("/none/key.json").error().code, Code::not_found);
}

struct GoogleTest : AccountTest {
  GoogleTest() {
    path = fs::temp_directory_path() / ("tapal-google-" + std::to_string(getpid()) + ".json");
    std::ofstream(path) << key_file();
    fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
    http.headers = {{"Accept", "application/json"}};
    open("google", {{"key_file", path.string()}});
  }
  ~GoogleTest() override { fs::remove(path); }

  void token(const std::string& given = "at1") {
    const auto service = ServiceAccount::from_json(key_file()).value();
    const auto scope = "https://www.googleapis.com/auth/ndev.clouddns.readwrite";
    auto& step =
        http.on("POST",
                "https://oauth2.googleapis.com/token",
                "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=" +
                    service.assertion(scope, loop.wall_now()).value());
    step.more = {{"Content-Type", "application/x-www-form-urlencoded"}};
    http.answer(200,
                R"({"access_token":")" + given + R"(","expires_in":3599,"token_type":"Bearer"})");
    bearer = given;
  }
  void call(const std::string& method,
            const std::string& target,
            const std::string& body,
            const std::string& answer) {
    auto& step = http.on(
        method, "https://dns.googleapis.com/dns/v1/projects/proj/managedZones" + target, body);
    step.more = {{"Authorization", "Bearer " + bearer}};
    if (!body.empty()) step.more.push_back({"Content-Type", "application/json"});
    http.answer(200, answer);
  }
  void zone() {
    call("GET",
         "?dnsName=example.com.",
         "",
         R"({"managedZones":[{"name":"inside","dnsName":"example.com.","visibility":"private"},
                             {"name":"zone-1","dnsName":"example.com.","visibility":"public"}]})");
  }
  void has(const std::string& name, const std::string& type, const std::string& sets) {
    call("GET",
         "/zone-1/rrsets?name=" + name + ".&type=" + type,
         "",
         R"({"rrsets":[)" + sets + "]}");
  }
  fs::path path;
  std::string bearer;
};

TEST_F(GoogleTest, finds_the_public_zone_and_keeps_its_token_for_an_hour) {
  token();
  call("GET", "?dnsName=mail.example.com.", "", "{}");
  zone();
  EXPECT_EQ(find_zone("mail.example.com").value(), "example.com");
  loop.run_for(std::chrono::minutes(50));
  has("x.example.com", "A", "");
  EXPECT_TRUE(read("x.example.com", Type::a).value().data.empty());
  loop.run_for(std::chrono::minutes(9));
  token("at2");
  has("x.example.com", "A", "");
  EXPECT_TRUE(read("x.example.com", Type::a));
}

TEST_F(GoogleTest, changes_all_sets_at_once_and_takes_exactly_what_is_there_away) {
  const std::string old_spf =
      R"({"name":"example.com.","type":"TXT","ttl":300,"rrdatas":["\"v=spf1 \" \"~all\""])";
  token();
  zone();
  has("example.com", "TXT", old_spf + R"(,"kind":"dns#resourceRecordSet"})");
  has("x.example.com", "CAA", "");
  has("gone.example.com",
      "A",
      R"({"name":"gone.example.com.","type":"A","ttl":60,"rrdatas":["192.0.2.9"]})");
  has("example.com", "TXT", old_spf + "}");
  has("x.example.com", "CAA", "");
  has("gone.example.com",
      "A",
      R"({"name":"gone.example.com.","type":"A","ttl":60,"rrdatas":["192.0.2.9"]})");
  call(
      "POST",
      "/zone-1/changes",
      R"({"additions":[{"name":"example.com.","type":"TXT","ttl":300,"rrdatas":["\"v=spf1 -all\""]},)"
      R"({"name":"x.example.com.","type":"CAA","ttl":3600,"rrdatas":["0 issue \"le.org\""]}],)"
      R"("deletions":[)" +
          old_spf +
          R"(},{"name":"gone.example.com.","type":"A","ttl":60,"rrdatas":["192.0.2.9"]}]})",
      R"({"status":"pending"})");
  const auto written = write({set("example.com", Type::txt, {"\"v=spf1 -all\""}, 300),
                              set("x.example.com", Type::caa, {"0 issue \"le.org\""}),
                              set("gone.example.com", Type::a, {})});
  EXPECT_TRUE(written) << written.error().what;
}

TEST_F(GoogleTest, leaves_what_is_right) {
  token();
  zone();
  has("example.com",
      "MX",
      R"({"name":"example.com.","type":"MX","ttl":3600,"rrdatas":["10 mail.example.com."]})");
  EXPECT_TRUE(write({set("example.com", Type::mx, {"10 mail.example.com."})}));
}

TEST_F(GoogleTest, tells_a_refused_claim_and_a_missing_right) {
  token();
  http.answer(400, R"({"error":"invalid_grant","error_description":"Invalid JWT Signature."})");
  auto found = find_zone("example.com");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Code::denied);
  EXPECT_TRUE(found.error().what.starts_with("Google: 400 Invalid JWT Signature. (invalid_grant)"))
      << found.error().what;
  token();
  zone();
  http.answer(403,
              R"({"error":{"code":403,"message":"Forbidden","errors":[{"reason":"forbidden"}]}})");
  found = find_zone("example.com");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Code::denied);
}

TEST_F(GoogleTest, does_not_read_a_key_that_others_may_read) {
  fs::permissions(path, fs::perms::group_read, fs::perm_options::add);
  AccountOptions options;
  options.credentials = {{"key_file", path.string()}};
  const auto opened = make_dns_account("google", options, world);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Code::denied);
  EXPECT_EQ(opened.error().what,
            "others may read " + path.string() + ": chmod 600 " + path.string());
}

}  // namespace
}  // namespace tapal::dnsapi
