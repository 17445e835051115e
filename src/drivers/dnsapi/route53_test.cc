#include <gtest/gtest.h>

#include "drivers/dnsapi/test_script.h"
#include "values/crypto/request_signature.h"

namespace tapal::dnsapi {
namespace {

using dns::Type;

constexpr const char* secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
constexpr const char* date_time = "20261122T010000Z";  // of a VirtualLoop that has not waited
const std::string change_head =
    R"(<ChangeResourceRecordSetsRequest xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><ChangeBatch><Changes>)";
const std::string change_tail = "</Changes></ChangeBatch></ChangeResourceRecordSetsRequest>";

struct Route53Test : AccountTest {
  Route53Test() {
    http.url = "https://route53.amazonaws.com";
    open("route53", {{"access_key_id", "AKID"}, {"secret_access_key", secret}});
    http.url += "/2013-04-01";
  }
  static std::vector<http::Header> signed_by(const std::string& signature) {
    return {{"X-Amz-Date", date_time},
            {"Authorization",
             "AWS4-HMAC-SHA256 Credential=AKID/20261122/us-east-1/route53/aws4_request, "
             "SignedHeaders=host;x-amz-date, Signature=" +
                 signature}};
  }
  void on(std::string path, std::vector<crypto::NamedValue> query, const std::string& body = {}) {
    crypto::SignableRequest request;
    request.method = body.empty() ? "GET" : "POST";
    request.path = "/2013-04-01" + path;
    request.query = query;
    request.headers = {{"host", "route53.amazonaws.com"}, {"x-amz-date", date_time}};
    request.body_digest = crypto::sha256(body);
    std::string target = path;
    for (const auto& [key, value] : query)
      target += (target.contains('?') ? "&" : "?") + key + "=" + value;
    auto& step = http.on(request.method, target, body);
    step.more = signed_by(
        crypto::aws_signature(request, {"AKID", secret}, {"us-east-1", "route53"}, date_time));
    if (!body.empty()) step.more.push_back({"Content-Type", "application/xml"});
  }
  void zone() {
    on("/hostedzonesbyname", {{"dnsname", "example.com"}});
    http.answer(
        200,
        "<?xml version=\"1.0\"?><ListHostedZonesByNameResponse><HostedZones>"
        "<HostedZone><Id>/hostedzone/Z0</Id><Name>example.com.</Name><Config><PrivateZone>true"
        "</PrivateZone></Config></HostedZone>"
        "<HostedZone><Id>/hostedzone/Z1</Id><Name>example.com.</Name><Config><PrivateZone>false"
        "</PrivateZone></Config></HostedZone></HostedZones></ListHostedZonesByNameResponse>");
  }
  void keeps(const std::string& name, const std::string& type, const std::string& rrset) {
    on("/hostedzone/Z1/rrset", {{"maxitems", "1"}, {"name", name + "."}, {"type", type}});
    http.answer(200,
                "<ListResourceRecordSetsResponse><ResourceRecordSets>" + rrset +
                    "</ResourceRecordSets></ListResourceRecordSetsResponse>");
  }
  static std::string rrset(const std::string& name,
                           const std::string& type,
                           const std::string& ttl,
                           const std::string& value) {
    return "<ResourceRecordSet><Name>" + name + ".</Name><Type>" + type + "</Type><TTL>" + ttl +
           "</TTL><ResourceRecords><ResourceRecord><Value>" + value +
           "</Value></ResourceRecord></ResourceRecords></ResourceRecordSet>";
  }
  static std::string change(const std::string& action, const std::string& set) {
    return "<Change><Action>" + action + "</Action>" + set + "</Change>";
  }
};

TEST_F(Route53Test, signs_as_another_implementation_does) {
  http.on("GET", "/hostedzonesbyname?dnsname=example.com").more =
      signed_by("da2d5ca2a72280a947c4000c1dfc34c377f50e01d1f1267c68d278f4f2a53963");
  http.answer(
      200,
      "<ListHostedZonesByNameResponse><HostedZones><HostedZone><Id>/hostedzone/Z1</Id>"
      "<Name>example.com.</Name></HostedZone></HostedZones></ListHostedZonesByNameResponse>");
  keeps("example.com", "MX", "");
  keeps("example.com", "TXT", rrset("example.com", "TXT", "60", "\"a &amp; b\""));
  keeps("example.com", "TXT", rrset("example.com", "TXT", "60", "\"a &amp; b\""));
  auto& step = http.on(
      "POST",
      "/hostedzone/Z1/rrset/",
      change_head + change("UPSERT", rrset("example.com", "MX", "3600", "10 m.example.com.")) +
          change("DELETE", rrset("example.com", "TXT", "60", "\"a &amp; b\"")) + change_tail);
  step.more = signed_by("70f837e48ca28281e2fc95bfc245d040e8c6ca203486a8446683e94ff14f4353");
  step.more.push_back({"Content-Type", "application/xml"});
  http.answer(200, "<ChangeResourceRecordSetsResponse/>");
  const auto written = write(
      {set("example.com", Type::mx, {"10 m.example.com."}), set("example.com", Type::txt, {})});
  EXPECT_TRUE(written) << written.error().what;
}

TEST_F(Route53Test, signs_the_token_of_temporary_credentials) {
  http.url = "https://route53.amazonaws.com";
  open("route53",
       {{"access_key_id", "AKID"}, {"secret_access_key", secret}, {"session_token", "s3ssion"}});
  http.on("GET", "/2013-04-01/hostedzonesbyname?dnsname=example.com").more = {
      {"X-Amz-Date", date_time},
      {"X-Amz-Security-Token", "s3ssion"},
      {"Authorization",
       "AWS4-HMAC-SHA256 Credential=AKID/20261122/us-east-1/route53/aws4_request, "
       "SignedHeaders=host;x-amz-date;x-amz-security-token, "
       "Signature=48e31f835be9eccf69a5c0269c6bff7133eca291c432ce6897e969387ee2b76d"}};
  http.answer(
      403,
      "<ErrorResponse><Error><Type>Sender</Type><Code>ExpiredToken</Code><Message>the token "
      "s3ssion is expired</Message></Error></ErrorResponse>");
  EXPECT_EQ(find_zone("example.com").error().what,
            "Route 53: 403 ExpiredToken: the token *** is expired (are the credentials right, and "
            "do they "
            "reach this zone?)");
}

TEST_F(Route53Test, finds_the_public_zone_and_no_neighbour) {
  on("/hostedzonesbyname", {{"dnsname", "mail.example.com"}});
  http.answer(
      200,
      "<ListHostedZonesByNameResponse><HostedZones><HostedZone><Id>/hostedzone/Z9</Id>"
      "<Name>mail.example.net.</Name></HostedZone></HostedZones></ListHostedZonesByNameResponse>");
  zone();
  EXPECT_EQ(find_zone("mail.example.com").value(), "example.com");
}

TEST_F(Route53Test, reads_the_set_that_was_asked_for_and_not_the_next) {
  zone();
  keeps("example.com", "CAA", rrset("example.com", "CAA", "300", "0 issue \"letsencrypt.org\""));
  EXPECT_EQ(read("example.com", Type::caa).value(),
            set("example.com", Type::caa, {"0 issue \"letsencrypt.org\""}, 300));
  keeps("a.example.com", "A", rrset("b.example.com", "A", "300", "192.0.2.1"));
  EXPECT_TRUE(read("a.example.com", Type::a).value().data.empty());
  keeps("*.example.com", "A", rrset("\\052.example.com", "A", "300", "192.0.2.1"));
  EXPECT_EQ(read("*.example.com", Type::a).value(),
            set("*.example.com", Type::a, {"192.0.2.1"}, 300));
}

TEST_F(Route53Test, leaves_aliases_and_routing_policies_alone) {
  zone();
  for (const auto* more :
       {"<AliasTarget><DNSName>x.</DNSName></AliasTarget>", "<SetIdentifier>x</SetIdentifier>"}) {
    keeps("example.com",
          "A",
          std::string("<ResourceRecordSet><Name>example.com.</Name><Type>A</Type>") + more +
              "</ResourceRecordSet>");
    const auto got = read("example.com", Type::a);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().code, Code::invalid);
  }
}

TEST_F(Route53Test, tells_what_is_wrong_with_a_change) {
  zone();
  keeps("a.example.com", "A", "");
  on("/hostedzone/Z1/rrset/",
     {},
     change_head + change("UPSERT", rrset("a.example.com", "A", "3600", "192.0.2.1")) +
         change_tail);
  http.answer(
      400,
      "<InvalidChangeBatch xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><Messages>"
      "<Message>RRSet of type A conflicts</Message><Message>and more</Message></Messages>"
      "</InvalidChangeBatch>");
  const auto written = write({set("a.example.com", Type::a, {"192.0.2.1"})});
  EXPECT_EQ(written.error().code, Code::invalid);
  EXPECT_EQ(written.error().what, "Route 53: 400 RRSet of type A conflicts; and more");
}

TEST_F(Route53Test, calls_throttling_what_it_is) {
  http.url = "https://route53.amazonaws.com/2013-04-01";
  on("/hostedzonesbyname", {{"dnsname", "example.com"}});
  http.answer(400,
              "<ErrorResponse><Error><Code>Throttling</Code><Message>Rate "
              "exceeded</Message></Error></ErrorResponse>",
              {{"Retry-After", "100"}});
  const auto found = find_zone("example.com");
  EXPECT_EQ(found.error().code, Code::full);
}

}  // namespace
}  // namespace tapal::dnsapi
