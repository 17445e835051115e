#include "drivers/dnsapi/reverse_apis.h"

#include <algorithm>
#include <chrono>

#include <gtest/gtest.h>

#include "drivers/dnsapi/test_script.h"
#include "values/crypto/request_signature.h"
#include "values/crypto/sha1.h"
#include "values/text/hex.h"

namespace tapal::dnsapi {
namespace {

const auto v4 = IpAddress::from_text("192.0.2.7").value();
const auto v6 = IpAddress::from_text("2001:db8:1::7").value();
const http::Header json_type{"Content-Type", "application/json"};

// One hoster, and the script its calls are held to.
struct ReverseTest : testing::Test {
  VirtualLoop loop;
  ScriptedHttp http;
  NoNetwork network;
  TableOfNames resolver;
  SeededRandom random;
  World world{http, network, resolver, loop, random};
  std::unique_ptr<ReverseNames> names;

  void open(std::string_view hoster, Credentials credentials) {
    AccountOptions options;
    options.credentials = std::move(credentials);
    auto opened = make_reverse_names(hoster, std::move(options), world);
    ASSERT_TRUE(opened) << opened.error().what;
    names = std::move(*opened);
  }
  Result<void> set(IpAddress address, std::string host = "mail.example.com") {
    return *loop.wait(names->set(loop, address, std::move(host)));
  }
  void TearDown() override {
    EXPECT_TRUE(http.is_over()) << "the script was not played to its end";
  }
};

TEST(ReverseApis, are_in_order_and_complete) {
  EXPECT_TRUE(std::ranges::is_sorted(reverse_apis(), {}, &ReverseApi::name));
  for (const auto& api : reverse_apis()) {
    SCOPED_TRACE(api.name);
    EXPECT_EQ(find_reverse_api(api.name)->title, api.title);
    EXPECT_FALSE(api.fields.empty());
    EXPECT_FALSE(api.scope.empty());
    EXPECT_TRUE(api.url.starts_with("https://"));
    EXPECT_TRUE(api.token_url.starts_with("https://"));
  }
}

TEST_F(ReverseTest, tells_which_hosters_there_are_and_which_credential_is_missing) {
  auto opened = make_reverse_names("azure", {}, world);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().what,
            "names of addresses cannot be set at \"azure\" from here; they can at aws, contabo, "
            "hetzner, linode, ovh, vultr");
  opened = make_reverse_names("hetzner", {}, world);
  ASSERT_FALSE(opened);
  EXPECT_TRUE(opened.error().what.starts_with("Hetzner Cloud needs \"token\""))
      << opened.error().what;
}

struct HetznerReverseTest : ReverseTest {
  HetznerReverseTest() {
    http.url = "https://api.hetzner.cloud/v1";
    http.headers = {{"Authorization", "Bearer t0ken"}, {"Accept", "application/json"}};
    open("hetzner", {{"token", "t0ken"}});
  }
  void servers() {
    http.on("GET", "/servers?page=1&per_page=50");
    http.answer(200,
                R"({"servers":[{"id":1,"public_net":{"ipv4":null,"ipv6":null}}],
                    "meta":{"pagination":{"next_page":2}}})");
    http.on("GET", "/servers?page=2&per_page=50");
    http.answer(200,
                R"({"servers":[{"id":42,"public_net":{"ipv4":{"ip":"192.0.2.7"},
                    "ipv6":{"ip":"2001:db8:1::/64"}}}],"meta":{"pagination":{"next_page":null}}})");
  }
};

TEST_F(HetznerReverseTest, names_an_address_of_either_family_on_its_server) {
  for (const auto& address : {v4, v6}) {
    servers();
    http.on("POST",
            "/servers/42/actions/change_dns_ptr",
            R"({"ip":")" + address.text() + R"(","dns_ptr":"mail.example.com"})")
        .more = {json_type};
    http.answer(201, R"({"action":{"id":13,"status":"running","error":null}})");
    EXPECT_TRUE(set(address));
  }
}

TEST_F(HetznerReverseTest, tells_that_no_server_has_it_and_what_was_refused) {
  servers();
  EXPECT_EQ(set(IpAddress::from_text("2001:db8:2::7").value()).error().code, Code::not_found);
  servers();
  http.on("POST", "/servers/42/actions/change_dns_ptr", R"({"ip":"192.0.2.7","dns_ptr":"a_b"})")
      .more = {json_type};
  http.answer(422,
              R"({"error":{"code":"invalid_input","message":"invalid input in field 'dns_ptr'"}})");
  const auto refused = set(v4, "a_b");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::invalid);
  EXPECT_EQ(refused.error().what,
            "Hetzner Cloud: 422 invalid input in field 'dns_ptr' (invalid_input)");
}

struct VultrReverseTest : ReverseTest {
  VultrReverseTest() {
    http.url = "https://api.vultr.com/v2";
    http.headers = {{"Authorization", "Bearer t0ken"}, {"Accept", "application/json"}};
    open("vultr", {{"token", "t0ken"}});
  }
  void instances() {
    http.on("GET", "/instances?per_page=500");
    http.answer(
        200,
        R"({"instances":[{"id":"x","main_ip":"192.0.2.8","v6_network":"","v6_network_size":0}],
                    "meta":{"links":{"next":"n="}}})");
    http.on("GET", "/instances?cursor=n%3D&per_page=500");
    http.answer(200,
                R"({"instances":[{"id":"i-1","main_ip":"192.0.2.7","v6_network":"2001:db8:1::",
                    "v6_network_size":64}],"meta":{"links":{"next":""}}})");
  }
};

TEST_F(VultrReverseTest, names_an_address_of_either_family_on_its_instance) {
  for (const auto& address : {v4, v6}) {
    instances();
    http.on("POST",
            std::string("/instances/i-1/ipv") + (address.is_v4() ? "4" : "6") + "/reverse",
            R"({"ip":")" + address.text() + R"(","reverse":"mail.example.com"})")
        .more = {json_type};
    http.answer(204);
    EXPECT_TRUE(set(address));
  }
  instances();
  EXPECT_EQ(set(IpAddress::from_text("192.0.2.9").value()).error().code, Code::not_found);
}

struct LinodeReverseTest : ReverseTest {
  LinodeReverseTest() {
    http.url = "https://api.linode.com/v4";
    http.headers = {{"Authorization", "Bearer t0ken"}, {"Accept", "application/json"}, json_type};
    open("linode", {{"token", "t0ken"}});
  }
};

TEST_F(LinodeReverseTest, names_an_address_of_either_family) {
  for (const auto& address : {v4, v6}) {
    http.on("PUT", "/networking/ips/" + address.text(), R"({"rdns":"mail.example.com"})");
    http.answer(200, R"({"address":"x","rdns":"mail.example.com"})");
    EXPECT_TRUE(set(address));
  }
}

TEST_F(LinodeReverseTest, tells_why_a_name_is_refused) {
  http.on("PUT", "/networking/ips/192.0.2.7", R"({"rdns":"mail.example.com"})");
  http.answer(400,
              R"({"errors":[{"field":"rdns","reason":"We were unable to perform a lookup"}]})");
  const auto refused = set(v4);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::invalid);
  EXPECT_EQ(refused.error().what, "Linode: 400 We were unable to perform a lookup");
}

struct OvhReverseTest : ReverseTest {
  OvhReverseTest() {
    http.url = "https://eu.api.ovh.com/1.0";
    time = std::to_string(
        std::chrono::floor<std::chrono::seconds>(loop.wall_now().time_since_epoch()).count());
    http.headers = {{"X-Ovh-Application", "app"},
                    {"X-Ovh-Consumer", "cons"},
                    {"X-Ovh-Timestamp", time},
                    {"Accept", "application/json"}};
    open("ovh",
         {{"application_key", "app"}, {"application_secret", "s3cret"}, {"consumer_key", "cons"}});
  }
  void call(const std::string& method,
            const std::string& target,
            const std::string& body,
            const std::string& answer) {
    auto& step = http.on(method, target, body);
    const auto text = "s3cret+cons+" + method + "+" + http.url + target + "+" + body + "+" + time;
    step.more = {{"X-Ovh-Signature", "$1$" + text::to_hex(crypto::sha1(text))}};
    if (!body.empty()) step.more.push_back(json_type);
    http.answer(200, answer);
  }
  std::string time;
};

TEST_F(OvhReverseTest, names_an_address_in_its_block) {
  call("GET", "/ip?ip=192.0.2.7", "", R"(["192.0.2.70/32","192.0.2.0/28"])");
  call("POST",
       "/ip/192.0.2.0%2F28/reverse",
       R"({"ipReverse":"192.0.2.7","reverse":"mail.example.com."})",
       "{}");
  EXPECT_TRUE(set(v4));
  call("GET", "/ip?ip=2001%3Adb8%3A1%3A%3A7", "", R"(["2001:db8:1::/64"])");
  call("POST",
       "/ip/2001%3Adb8%3A1%3A%3A%2F64/reverse",
       R"({"ipReverse":"2001:db8:1::7","reverse":"mail.example.com."})",
       "{}");
  EXPECT_TRUE(set(v6));
  call("GET", "/ip?ip=192.0.2.7", "", "[]");
  EXPECT_EQ(set(v4).error().code, Code::not_found);
}

struct ContaboReverseTest : ReverseTest {
  ContaboReverseTest() {
    http.headers = {{"Accept", "application/json"}};
    open("contabo",
         {{"client_id", "INT-1"},
          {"client_secret", "cl s3cret"},
          {"api_user", "me@example.com"},
          {"api_password", "pw&1"}});
  }
  void token() {
    auto& step =
        http.on("POST",
                "https://auth.contabo.com/auth/realms/contabo/protocol/openid-connect/token",
                "client_id=INT-1&client_secret=cl%20s3cret&grant_type=password&password=pw%261&"
                "username=me%40example.com");
    step.more = {{"Content-Type", "application/x-www-form-urlencoded"}};
    http.answer(200, R"({"access_token":"at","expires_in":300})");
  }
  void call(const std::string& method,
            const std::string& target,
            const std::string& body,
            int status) {
    auto bytes = same_random.bytes(16);
    bytes[6] = static_cast<char>((bytes[6] & 0x0f) | 0x40);
    bytes[8] = static_cast<char>((bytes[8] & 0x3f) | 0x80);
    auto id = text::to_hex(bytes);
    for (const std::size_t at : {8U, 13U, 18U, 23U}) id.insert(at, "-");
    http.on(method, "https://api.contabo.com" + target, body).more = {
        {"Authorization", "Bearer at"}, {"x-request-id", id}, json_type};
    http.answer(status, status == 404 ? R"({"statusCode":404,"message":"Entry not found"})" : "");
  }
  SeededRandom same_random;
};

TEST_F(ContaboReverseTest, changes_the_name_and_makes_one_where_ipv6_has_none) {
  token();
  call("PUT", "/v1/dns/ptrs/192.0.2.7", R"({"ptr":"mail.example.com"})", 204);
  EXPECT_TRUE(set(v4));
  token();
  call("PUT", "/v1/dns/ptrs/2001:db8:1::7", R"({"ptr":"mail.example.com"})", 404);
  call("POST", "/v1/dns/ptrs", R"({"ip":"2001:db8:1::7","ptr":"mail.example.com"})", 201);
  EXPECT_TRUE(set(v6));
  token();
  call("PUT", "/v1/dns/ptrs/192.0.2.7", R"({"ptr":"mail.example.com"})", 404);
  EXPECT_EQ(set(v4).error().code, Code::not_found);
}

TEST_F(ContaboReverseTest, tells_a_wrong_password_without_showing_it) {
  token();
  http.answer(401,
              R"({"error":"invalid_grant","error_description":"Invalid user credentials: pw&1"})");
  const auto refused = set(v4);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::denied);
  EXPECT_FALSE(refused.error().what.contains("pw&1"));
}

struct AwsReverseTest : ReverseTest {
  AwsReverseTest() {
    http.url = "https://ec2.eu-central-1.amazonaws.com";
    http.headers = {{"Content-Type", "application/x-www-form-urlencoded"}};
    open("aws",
         {{"access_key_id", "AKID"}, {"secret_access_key", "s3cret"}, {"region", "eu-central-1"}});
  }
  void call(const std::string& body, int status, const std::string& answer) {
    crypto::SignableRequest form;
    form.method = "POST";
    form.headers = {{"host", "ec2.eu-central-1.amazonaws.com"},
                    {"content-type", "application/x-www-form-urlencoded"}};
    form.body_digest = crypto::sha256(body);
    auto& step = http.on("POST", "/", body);
    for (auto& [name, value] :
         crypto::sign_aws(form, {"AKID", "s3cret"}, {"eu-central-1", "ec2"}, loop.wall_now()))
      step.more.push_back({name, value});
    http.answer(status, answer);
  }
  void finds(const std::string& items) {
    call("Action=DescribeAddresses&PublicIp.1=192.0.2.7&Version=2016-11-15",
         200,
         "<DescribeAddressesResponse><requestId>r</requestId><addressesSet>" + items +
             "</addressesSet></DescribeAddressesResponse>");
  }
};

TEST_F(AwsReverseTest, names_an_elastic_ip) {
  finds("<item><publicIp>192.0.2.7</publicIp><allocationId>eipalloc-1</allocationId></item>");
  call(
      "Action=ModifyAddressAttribute&AllocationId=eipalloc-1&DomainName=mail.example.com&Version="
      "2016-11-15",
      200,
      "<ModifyAddressAttributeResponse/>");
  EXPECT_TRUE(set(v4));
}

TEST_F(AwsReverseTest, tells_what_cannot_have_a_name) {
  finds("");
  EXPECT_EQ(set(v4).error().code, Code::not_found);
  EXPECT_EQ(set(v6).error().code, Code::invalid);
  call("Action=DescribeAddresses&PublicIp.1=192.0.2.7&Version=2016-11-15",
       401,
       "<Response><Errors><Error><Code>AuthFailure</Code><Message>AWS was not able to validate "
       "the provided access credentials</Message></Error></Errors></Response>");
  const auto refused = set(v4);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::denied);
  EXPECT_TRUE(refused.error().what.starts_with("Amazon EC2: 401 AuthFailure: AWS was not able"))
      << refused.error().what;
}

}  // namespace
}  // namespace tapal::dnsapi
