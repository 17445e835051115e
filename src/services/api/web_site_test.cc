#include "services/api/web_site.h"

#include <gtest/gtest.h>

#include "ports/test_loop.h"

namespace tapal::api {
namespace {

using account::DomainSettings;
using account::Role;
using tlspolicy::MtaStsMode;

std::shared_ptr<const intake::Domains> some_domains() {
  auto domains = std::make_shared<intake::Domains>();
  auto& directory = domains->directory;
  const account::UserRecord ann{.address = mail::parse_address("ann@own.example").value()};
  directory.add_domain(
      "own.example", {ann}, {.mta_sts = MtaStsMode::enforce, .imap_server = "imap.own.example"});
  directory.add_domain("forwarded.example", {}, {.role = Role::send_forward});
  directory.add_domain("sends.example", {}, {.role = Role::send});
  directory.add_domain("quiet.example", {}, {.mta_sts = MtaStsMode::none});
  return domains;
}

struct World {
  VirtualLoop loop;
  ChallengeBoard board;
  Snapshot<intake::Domains> domains{some_domains()};
  WebOptions options{"mail.own.example",
                     443,
                     {{.host = "mail.own.example", .port = 465},
                      {.tls = MailServer::Tls::starttls, .host = "mail.own.example", .port = 587}}};

  http::Response get(std::string_view url, std::string method = "GET") {
    WebSite site(options, domains, board);
    http::Request request{std::move(method), http::parse_url(url).value(), {}, {}};
    return loop.wait(site.answer(loop, std::move(request))).value();
  }
};

TEST(WebSite, serves_challenges_in_clear_only) {
  World world;
  world.board.show_http("token-1", "token-1.thumbprint");
  const auto shown = world.get("http://new.example/.well-known/acme-challenge/token-1");
  EXPECT_EQ(shown.status, 200);
  EXPECT_EQ(shown.body, "token-1.thumbprint");
  EXPECT_EQ(world.get("http://own.example/.well-known/acme-challenge/token-2").status, 404);
  EXPECT_EQ(world.get("http://own.example/.well-known/acme-challenge/").status, 404);
  EXPECT_EQ(world.get("https://own.example/.well-known/acme-challenge/token-1").status, 404);
  world.board.withdraw_http("token-1");
  EXPECT_EQ(world.get("http://new.example/.well-known/acme-challenge/token-1").status, 404);
}

TEST(WebSite, leads_names_of_ours_to_https) {
  struct Case {
    std::string_view name, url, location;
  };
  const Case cases[] = {
      {"the host", "http://mail.own.example/a?b", "https://mail.own.example/a?b"},
      {"a domain", "http://own.example/", "https://own.example/"},
      {"a purpose", "http://mta-sts.own.example/x", "https://mta-sts.own.example/x"},
      {"another port", "http://own.example:8080/", "https://own.example/"},
      {"a final dot", "http://own.example./", "https://own.example./"},
      {"a foreign name", "http://own.example.evil.example/", ""},
      {"a purpose of a foreign name", "http://mta-sts.evil.example/", ""},
      {"another label", "http://www.own.example/", ""},
      {"an address", "http://192.0.2.1/", ""},
  };
  World world;
  for (const auto& [name, url, location] : cases) {
    SCOPED_TRACE(name);
    const auto response = world.get(url);
    EXPECT_EQ(response.status, location.empty() ? 404 : 301);
    EXPECT_EQ(response.header("Location"), location);
  }
  world.options.https_port = 8443;
  EXPECT_EQ(world.get("http://own.example/").header("Location"), "https://own.example:8443/");
  world.options.https_port.reset();
  EXPECT_EQ(world.get("http://own.example/").status, 404);
}

TEST(WebSite, serves_each_domain_its_policy) {
  World world;
  const auto policy = world.get("https://mta-sts.own.example/.well-known/mta-sts.txt");
  EXPECT_EQ(policy.status, 200);
  EXPECT_EQ(policy.header("Content-Type"), "text/plain");
  EXPECT_EQ(policy.body,
            "version: STSv1\r\nmode: enforce\r\nmx: mail.own.example\r\nmax_age: 604800\r\n");
  struct Case {
    std::string_view name, url, mode;
  };
  const Case cases[] = {
      {"aliases alone", "https://mta-sts.forwarded.example/.well-known/mta-sts.txt", "testing"},
      {"taken back", "https://mta-sts.quiet.example/.well-known/mta-sts.txt", "none"},
      {"its MX is elsewhere", "https://mta-sts.sends.example/.well-known/mta-sts.txt", ""},
      {"a foreign domain", "https://mta-sts.evil.example/.well-known/mta-sts.txt", ""},
      {"the domain itself", "https://own.example/.well-known/mta-sts.txt", ""},
      {"another path", "https://mta-sts.own.example/mta-sts.txt", ""},
      {"in clear", "http://mta-sts.own.example/.well-known/mta-sts.txt", ""},
  };
  for (const auto& [name, url, mode] : cases) {
    SCOPED_TRACE(name);
    const auto response = world.get(url);
    EXPECT_EQ(response.status == 200, !mode.empty());
    EXPECT_EQ(response.body.contains("\nmode: " + std::string(mode) + "\r\n"), !mode.empty());
  }
}

TEST(WebSite, tells_mail_clients_the_servers) {
  World world;
  for (const auto* const url :
       {"https://autoconfig.own.example/mail/config-v1.1.xml?emailaddress=ann%40own.example",
        "https://autoconfig.own.example/.well-known/autoconfig/mail/config-v1.1.xml",
        "https://own.example/.well-known/autoconfig/mail/config-v1.1.xml"}) {
    SCOPED_TRACE(url);
    const auto response = world.get(url);
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.header("content-type"), "application/xml");
    const auto imap = response.body.find("<incomingServer type=\"imap\">");
    const auto implicit = response.body.find("<port>465</port>\n      <socketType>SSL<");
    const auto starttls = response.body.find("<port>587</port>\n      <socketType>STARTTLS<");
    EXPECT_LT(imap, implicit);
    EXPECT_LT(implicit, starttls);
    EXPECT_NE(starttls, std::string::npos);
    EXPECT_TRUE(response.body.contains("<hostname>imap.own.example</hostname>"));
  }
  const auto outlook =
      world.get("https://autodiscover.own.example/Autodiscover/Autodiscover.xml", "POST");
  EXPECT_EQ(outlook.status, 200);
  EXPECT_TRUE(outlook.body.contains("<Encryption>SSL</Encryption>"));
  EXPECT_TRUE(outlook.body.contains("<Encryption>TLS</Encryption>"));
}

TEST(WebSite, tells_mail_clients_nothing_where_nobody_can_log_in) {
  World world;
  for (const auto* const url : {"https://autoconfig.forwarded.example/mail/config-v1.1.xml",
                                "https://autoconfig.evil.example/mail/config-v1.1.xml",
                                "https://mail.own.example/mail/config-v1.1.xml",
                                "https://mta-sts.own.example/mail/config-v1.1.xml",
                                "https://own.example/mail/config-v1.1.xml",
                                "https://own.example/",
                                "http://autoconfig.own.example/mail/config-v1.1.xml"}) {
    EXPECT_NE(world.get(url).status, 200) << url;
  }
}

TEST(ClientSetup, escapes_what_it_writes) {
  const std::vector<MailServer> servers{{.host = "<\"&'>", .port = 465}};
  EXPECT_TRUE(autoconfig_xml("a&b", servers).contains("<domain>a&amp;b</domain>"));
  EXPECT_TRUE(
      autoconfig_xml("a", servers).contains("<hostname>&lt;&quot;&amp;&apos;&gt;</hostname>"));
  EXPECT_TRUE(autodiscover_xml(servers).contains("<Server>&lt;&quot;&amp;&apos;&gt;</Server>"));
}

}  // namespace
}  // namespace tapal::api
