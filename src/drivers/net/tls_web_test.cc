#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include "drivers/net/net_test_kit.h"
#include "drivers/net/tls.h"
#include "drivers/net/tls_context.h"
#include "ports/challenge_board.h"

namespace tapal {
namespace {

using namespace net_test;
using Protocols = std::vector<std::string>;

struct Meeting {
  bool done = false;
  std::string protocol;
  std::string certificate;  // PEM
};

std::string wire(const Protocols& protocols) {
  std::string bytes;
  for (const auto& protocol : protocols)
    bytes += std::string(1, static_cast<char>(protocol.size())) + protocol;
  return bytes;
}

// A handshake in memory with a client that offers `protocols`.
Meeting meet(TlsServer& server,
             const std::string& host,
             const Protocols& protocols,
             int version_max = TLS1_3_VERSION) {
  const auto prepared = tls::prepare_server(server, -1);
  const auto context = tls::make_context(TLS_client_method(), TlsVersion::tls_1_2);
  SSL_CTX_set_max_proto_version(context.get(), version_max);
  const tls::SslPtr client(SSL_new(context.get()));
  SSL_set_tlsext_host_name(client.get(), host.c_str());
  const auto offered = wire(protocols);
  if (!protocols.empty())
    SSL_set_alpn_protos(client.get(),
                        reinterpret_cast<const unsigned char*>(offered.data()),
                        static_cast<unsigned>(offered.size()));
  tls::join(client.get(), prepared.ssl.get());
  Meeting meeting;
  bool server_done = false;
  for (int flight = 0; flight < 10; ++flight) {
    meeting.done = SSL_do_handshake(client.get()) == 1;
    server_done = SSL_do_handshake(prepared.ssl.get()) == 1;
  }
  meeting.done &= server_done;
  if (!meeting.done) return meeting;
  const unsigned char* protocol = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(client.get(), &protocol, &size);
  meeting.protocol.assign(reinterpret_cast<const char*>(protocol), size);
  meeting.certificate = tls::peer_certificates(client.get());
  return meeting;
}

struct World {
  ServedCertificate certificate = certificate_for({"mail.example.org"});
  ServedCertificate answer = certificate_for({"new.example.org"});
  ChallengeBoard board;
  std::unique_ptr<ServerContext> server = ServerContext::make({certificate}).value();
  WebTls web{*server, board};

  World() { board.show_tls("new.example.org", {answer.chain_pem, answer.key_pem}); }
};

TEST(WebTls, takes_http_1_1_of_what_is_offered) {
  World world;
  EXPECT_EQ(meet(world.web, "mail.example.org", {"h2", "http/1.1"}).protocol, "http/1.1");
  const auto silent = meet(world.web, "mail.example.org", {});
  EXPECT_TRUE(silent.done);
  EXPECT_EQ(silent.protocol, "");
  EXPECT_FALSE(meet(world.web, "mail.example.org", {"h2"}).done);
}

TEST(WebTls, shows_the_answer_to_whom_asks_by_acme_tls_1) {
  World world;
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const auto meeting = meet(world.web, "New.Example.org", {"acme-tls/1"}, version);
    EXPECT_TRUE(meeting.done);
    EXPECT_EQ(meeting.protocol, acme_tls_protocol);
    EXPECT_EQ(meeting.certificate, world.answer.chain_pem);
  }
}

TEST(WebTls, answers_challenges_before_there_is_any_certificate) {
  World world;
  const auto bare = ServerContext::without_certificate();
  WebTls web(*bare, world.board);
  EXPECT_FALSE(web.is_ready());
  EXPECT_EQ(meet(web, "new.example.org", {"acme-tls/1"}).certificate, world.answer.chain_pem);
  EXPECT_FALSE(meet(web, "new.example.org", {"http/1.1"}).done);
  EXPECT_FALSE(meet(*bare, "new.example.org", {}).done);
}

TEST(WebTls, refuses_challenges_that_it_knows_nothing_of) {
  World world;
  EXPECT_FALSE(meet(world.web, "mail.example.org", {"acme-tls/1"}).done);
  EXPECT_FALSE(meet(world.web, "other.example.org", {"acme-tls/1"}).done);
  world.board.withdraw_tls("new.example.org");
  EXPECT_FALSE(meet(world.web, "new.example.org", {"acme-tls/1"}).done);
}

// RFC 8737 section 3: the list has this one protocol. A browser that sends more is none.
TEST(WebTls, shows_the_answer_to_nobody_else) {
  World world;
  const auto both = meet(world.web, "new.example.org", {"acme-tls/1", "http/1.1"});
  EXPECT_EQ(both.protocol, "http/1.1");
  EXPECT_EQ(both.certificate, world.certificate.chain_pem);
  EXPECT_EQ(meet(world.web, "new.example.org", {"http/1.1"}).certificate,
            world.certificate.chain_pem);
  EXPECT_EQ(meet(*world.server, "new.example.org", {}).certificate, world.certificate.chain_pem);
}

TEST(WebTls, leaves_mail_clients_alone) {
  World world;
  const auto mail = meet(*world.server, "mail.example.org", {"http/1.1", "smtp"});
  EXPECT_TRUE(mail.done);
  EXPECT_EQ(mail.protocol, "");
  EXPECT_EQ(meet(*world.server, "new.example.org", {"acme-tls/1"}).certificate,
            world.certificate.chain_pem);
}

TEST(ServerContext, is_ready_once_it_has_a_certificate) {
  const auto certificate = certificate_for({"mail.example.org"});
  const auto context = ServerContext::without_certificate();
  EXPECT_FALSE(context->is_ready());
  EXPECT_EQ(context->shown_to("mail.example.org").error().code, Code::not_found);
  ASSERT_TRUE(context->replace({certificate}));
  EXPECT_TRUE(context->is_ready());
  EXPECT_TRUE(meet(*context, "mail.example.org", {}).done);
  EXPECT_FALSE(context->replace({}));
  EXPECT_TRUE(context->is_ready());
}

TEST(ServerContext, knows_what_it_shows) {
  const auto old = certificate_for({"mail.example.org"});
  const auto other = certificate_for({"other.example.org", "mail.example.org"});
  const auto context = ServerContext::make({old, other}).value();
  EXPECT_EQ(context->shown_to("mail.example.org"), old.chain_pem);
  EXPECT_EQ(context->shown_to("other.example.org"), other.chain_pem);
  EXPECT_EQ(context->shown_to("unknown.example.org"), old.chain_pem);
  const auto renewed = certificate_for({"mail.example.org"});
  ASSERT_TRUE(context->replace({renewed, other}));
  EXPECT_EQ(context->shown_to("mail.example.org"), renewed.chain_pem);
}

}  // namespace
}  // namespace tapal
