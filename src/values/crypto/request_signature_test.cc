#include "values/crypto/request_signature.h"

#include <gtest/gtest.h>

#include "values/text/date.h"
#include "values/text/hex.h"

namespace tapal::crypto {
namespace {

const AccessKey aws_key{"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"};
const AwsScope ses{"us-east-1", "ses"};

WallTime at(std::string_view text) { return text::parse_rfc3339_date(text).value(); }

std::string field(const std::vector<NamedValue>& fields, std::string_view name) {
  for (const auto& [key, value] : fields)
    if (key == name) return value;
  return "(absent)";
}

SignableRequest ses_post() {
  return {"POST",
          "/v2/email/outbound-emails",
          {},
          {{"host", "mail.example.com"}, {"content-type", "application/json"}},
          sha256(R"({"Content":{"Raw":{"Data":"RnJvbTogYUB4LmNvbQ0KVG86IGJAeS5jb20NCg0KaGk="}}})")};
}

TEST(AwsSignature, is_what_the_sdks_make_of_a_post) {
  auto request = ses_post();
  request.headers.emplace_back("X-Amz-Date", "20261122T000000Z");
  EXPECT_EQ(text::to_hex(bytes_of(sha256(request.canonical_form()))),
            "edf2b009a4dd4d9c37fc4fcfcb9ad84d1602c82ababa95efb783fb982b8e57ae");
  EXPECT_EQ(aws_signature(request, aws_key, ses, "20261122T000000Z"),
            "32fcc07d2b2669b8725085bba446d93a668c5a150a006a53435ee19a1f971695");
}

TEST(AwsSignature, encodes_the_path_once_more) {
  const SignableRequest request{"GET",
                                "/v2/email/suppression/addresses/o%27x%2By%40example.com",
                                {},
                                {{"Host", "mail.example.com"}, {"x-amz-date", "20261122T000000Z"}}};
  EXPECT_EQ(aws_signature(request, aws_key, ses, "20261122T000000Z"),
            "9ab61f0bb29ba655d4599e1432bbb7189f88e26baa36db30570828443ebded2d");
}

// AWS General Reference, "Examples of the complete Signature Version 4 signing process".
TEST(AwsSignature, signs_the_documented_query) {
  const SignableRequest request{
      "GET",
      "/",
      {{"Version", "2010-05-08"}, {"Action", "ListUsers"}},
      {{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"},
       {"Host", "iam.amazonaws.com"}}};
  const auto fields =
      sign_aws(request, aws_key, {"us-east-1", "iam"}, at("2015-08-30T12:36:00.999Z"));
  EXPECT_EQ(field(fields, "X-Amz-Date"), "20150830T123600Z");
  EXPECT_EQ(field(fields, "Authorization"),
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, "
            "SignedHeaders=content-type;host;x-amz-date, "
            "Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7");
}

struct PathCase {
  const char* path;
  const char* canonical;
};

TEST(AwsCanonicalPath, drops_empty_segments_and_keeps_the_last_slash) {
  const std::array cases = {PathCase{"", "/"},
                            PathCase{"/", "/"},
                            PathCase{"/ses//v2/./x", "/ses/v2/x"},
                            PathCase{"/ses/", "/ses/"},
                            PathCase{"/a%40b", "/a%2540b"}};
  for (const auto& c : cases) EXPECT_EQ(aws_canonical_path(c.path), c.canonical) << c.path;
}

TEST(SignableRequest, does_not_depend_on_the_order_or_case_or_spaces_of_what_came_in) {
  SignableRequest one{
      "GET", "/", {{"b", "2"}, {"a", "x y"}, {"a", "1"}}, {{"X-B", " v  w\t"}, {"host", "h"}}};
  SignableRequest other{
      "GET", "/", {{"a", "1"}, {"a", "x y"}, {"b", "2"}}, {{"Host", "h"}, {"x-b", "v w"}}};
  EXPECT_EQ(one.canonical_form(), other.canonical_form());
  EXPECT_EQ(one.canonical_form(),
            "GET\n/\na=1&a=x%20y&b=2\nhost:h\nx-b:v w\n\nhost;x-b\n"
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(CanonicalQuery, is_the_same_from_any_form_of_the_query) {
  EXPECT_EQ(canonical_query(parse_query("b=%7e*&a=x%20y&&c&b=1=2")), "a=x%20y&b=1%3D2&b=~%2A&c=");
  EXPECT_EQ(canonical_query(parse_query("")), "");
}

// Alibaba Cloud, "V3 request structure and signature", the example with fixed parameters.
TEST(AlibabaSignature, is_that_of_the_document) {
  const SignableRequest request{
      "POST",
      "/",
      {{"RegionId", "cn-shanghai"},
       {"ImageId", "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd"}},
      {{"host", "ecs.cn-shanghai.aliyuncs.com"}}};
  const auto fields =
      sign_alibaba(request,
                   {"YourAccessKeyId", "YourAccessKeySecret"},
                   {"RunInstances", "2014-05-26", "3156853299f313e23d1673dc12e1703d"},
                   at("2023-10-26T10:22:32Z"));
  EXPECT_EQ(field(fields, "x-acs-date"), "2023-10-26T10:22:32Z");
  EXPECT_EQ(field(fields, "x-acs-action"), "RunInstances");
  EXPECT_EQ(field(fields, "x-acs-version"), "2014-05-26");
  EXPECT_EQ(field(fields, "Authorization"),
            "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders=host;x-acs-action;"
            "x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version,"
            "Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0");
}

// Tencent Cloud, "Signature v3", the example of DescribeInstances: with the key of its edition of
// 2020, and with the asterisks that later ones print (and sign with).
TEST(TencentSignature, is_that_of_the_documents) {
  const SignableRequest request{
      "POST",
      "/",
      {},
      {{"Content-Type", "application/json; charset=utf-8"}, {"Host", "cvm.tencentcloudapi.com"}},
      sha256(
          R"({"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]})")};
  const AccessKey key{"AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE", "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE"};
  const auto time = at("2019-02-25T16:44:25Z");
  EXPECT_EQ(text::to_hex(bytes_of(request.body_digest)),
            "35e9c5b0e3ae67532d3c9f17ead6c90222632e5b1ff7f6e89887f1398934f064");
  EXPECT_EQ(tencent_signature(request, key, "cvm", time),
            "72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168");
  const AccessKey asterisks{"AKID" + std::string(32, '*'), std::string(32, '*')};
  const auto fields =
      sign_tencent(request, asterisks, {"cvm", "DescribeInstances", "2017-03-12"}, time);
  EXPECT_EQ(field(fields, "X-TC-Timestamp"), "1551113065");
  EXPECT_EQ(field(fields, "Authorization"),
            "TC3-HMAC-SHA256 Credential=" + asterisks.id +
                "/2019-02-25/cvm/"
                "tc3_request, SignedHeaders=content-type;host;x-tc-action, "
                "Signature=10b1a37a7301a02ca19a647ad722d5e43b4b3cff309d421d85b46093f6ab6c4f");
}

}  // namespace
}  // namespace tapal::crypto
