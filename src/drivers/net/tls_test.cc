#include "drivers/net/tls.h"

#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include "drivers/net/net_test_kit.h"
#include "drivers/net/tls_context.h"

namespace tapal {
namespace {

using namespace net_test;

// A server with one certificate, and a client that trusts it.
struct World {
  ServedCertificate certificate = certificate_for({"mail.example.org"});
  std::shared_ptr<TicketKeys> tickets = std::make_shared<TicketKeys>();
  std::unique_ptr<ServerContext> server =
      ServerContext::make({certificate}, {.tickets = tickets}).value();
  Folder folder;
  std::unique_ptr<ClientContext> client = trusting(certificate);

  std::unique_ptr<ClientContext> trusting(const ServedCertificate& trusted) const {
    return ClientContext::make({.trusted_ca_file = folder.write("ca.pem", trusted.chain_pem)})
        .value();
  }
};

const TlsConnectOptions to_mail{.server_name = "mail.example.org"};
const TlsConnectOptions to_mail_again{.server_name = "mail.example.org", .session_key = "mx"};

// Our own settings know a least version only.
void allow_at_most_tls_1_2(ClientContext& client) {
  const auto prepared = tls::prepare_client(client, -1, {}, "");
  SSL_CTX_set_max_proto_version(SSL_get_SSL_CTX(prepared.ssl.get()), TLS1_2_VERSION);
}

struct Visit {
  TlsState client;
  TlsState server;
  std::string certificate;  // its end point binding, by which certificates are told apart
  std::string error;        // the client's
};

// Connects, talks both ways (under TLS 1.3 the tickets come with the first bytes), and closes.
Visit visit(TlsServer& server, TlsClient& client, const TlsConnectOptions& options) {
  NetLoop loop;
  Visit visit;
  run_to_end(loop, [&]() -> Task<void> {
    auto pair = co_await connected_pair(loop);
    const auto shaken = co_await shake(pair, server, client, options);
    if (!shaken.client || !shaken.server) {
      visit.error = shaken.client ? shaken.server.error().what : shaken.client.error().what;
      co_return;
    }
    visit.client = *shaken.client;
    visit.server = *shaken.server;
    EXPECT_TRUE(pair.client->is_tls());
    EXPECT_TRUE(pair.server->is_tls());
    for (const auto type : {ChannelBinding::tls_exporter, ChannelBinding::tls_server_end_point}) {
      const auto ours = pair.client->channel_binding(type);
      EXPECT_EQ(ours.value(), pair.server->channel_binding(type).value());
      EXPECT_EQ(ours->size(), 32U);
      visit.certificate = *ours;
    }
    TaskGroup group;
    group.spawn(echo(*pair.server));
    EXPECT_TRUE((co_await pair.client->write("hello", soon())).has_value());
    EXPECT_EQ(co_await read_text(*pair.client, 1), "h");
    EXPECT_TRUE((co_await pair.client->readable(soon())).has_value());  // the rest of the record
    EXPECT_EQ(co_await read_text(*pair.client, 4), "ello");
    EXPECT_EQ((co_await pair.client->readable(in_ms(1))).error().code, Code::timed_out);
    pair.client->close();
    co_await group.join();
  });
  return visit;
}

TEST(Tls, carries_bytes_in_both_versions) {
  for (const bool old : {false, true}) {
    const World world;
    if (old) allow_at_most_tls_1_2(*world.client);
    const auto result = visit(*world.server, *world.client, to_mail);
    EXPECT_EQ(result.error, "");
    for (const auto* state : {&result.client, &result.server}) {
      EXPECT_EQ(state->version, old ? "TLSv1.2" : "TLSv1.3");
      EXPECT_NE(state->cipher, "");
      EXPECT_EQ(state->cipher, result.client.cipher);
      EXPECT_EQ(state->server_name, "mail.example.org");
      EXPECT_FALSE(state->resumed);
    }
    EXPECT_TRUE(result.client.verified) << result.client.verify_error;
    EXPECT_FALSE(result.server.verified);
  }
}

TEST(Tls, refuses_versions_under_the_least) {
  World world;
  world.server =
      ServerContext::make({world.certificate}, {.least_version = TlsVersion::tls_1_3}).value();
  EXPECT_EQ(visit(*world.server, *world.client, to_mail).client.version, "TLSv1.3");
  allow_at_most_tls_1_2(*world.client);
  EXPECT_EQ(visit(*world.server, *world.client, to_mail).error,
            "TLS handshake: TLS: tlsv1 alert protocol version");
}

TEST(Tls, begins_midway_and_carries_much_both_ways) {
  const World world;
  NetLoop loop;
  run_to_end(loop, [&]() -> Task<void> {
    auto pair = co_await connected_pair(loop);
    EXPECT_TRUE((co_await pair.client->write("STARTTLS\r\n", soon())).has_value());
    EXPECT_EQ(co_await read_text(*pair.server, 10), "STARTTLS\r\n");
    EXPECT_TRUE((co_await pair.server->write("220\r\n", soon())).has_value());
    EXPECT_EQ(co_await read_text(*pair.client, 5), "220\r\n");
    EXPECT_FALSE(pair.client->is_tls());
    const auto shaken = co_await shake(pair, *world.server, *world.client, to_mail);
    EXPECT_TRUE(shaken.client && shaken.server);
    static constexpr auto send = [](Stream& stream, std::string_view text) -> Task<void> {
      EXPECT_TRUE((co_await stream.write(text, soon())).has_value());
    };
    // Both write at once, more than the buffers hold, and each reads meanwhile.
    const std::string up(8UL << 20, 'u'), down(8UL << 20, 'd');
    TaskGroup group;
    group.spawn(send(*pair.client, up));
    group.spawn(send(*pair.server, down));
    EXPECT_EQ(group.running(), 2U) << "the buffers hold it all: the test shows nothing";
    static constexpr auto receive = [](Stream& stream, std::string_view expected) -> Task<void> {
      const auto text = co_await read_text(stream, expected.size());
      EXPECT_TRUE(text == expected);
    };
    group.spawn(receive(*pair.client, down));
    group.spawn(receive(*pair.server, up));
    co_await group.join();
  });
}

TEST(Tls, deadlines_and_close_work_under_tls) {
  const World world;
  NetLoop loop;
  run_to_end(loop, [&]() -> Task<void> {
    auto pair = co_await connected_pair(loop);
    EXPECT_TRUE((co_await shake(pair, *world.server, *world.client, to_mail)).client);
    char byte = 0;
    const auto late = co_await pair.server->read({&byte, 1}, in_ms(10));
    EXPECT_EQ(late.error().code, Code::timed_out);
    const std::string much(32UL << 20, 'x');
    EXPECT_EQ((co_await pair.server->write(much, in_ms(10))).error().code, Code::timed_out);

    auto other = co_await connected_pair(loop);
    EXPECT_TRUE((co_await shake(other, *world.server, *world.client, to_mail)).client);
    static constexpr auto wait_for_end = [](Stream& stream, Code& code) -> Task<void> {
      char ignored = 0;
      code = (co_await stream.read({&ignored, 1}, never)).error().code;
    };
    Code client = Code::internal, server = Code::internal;
    TaskGroup group;
    group.spawn(wait_for_end(*other.client, client));
    group.spawn(wait_for_end(*other.server, server));
    other.client->close();  // the server hears close_notify
    co_await group.join();
    EXPECT_EQ(client, Code::closed);
    EXPECT_EQ(server, Code::closed);
  });
}

TEST(Tls, a_handshake_ends_at_its_deadline_by_close_and_by_garbage) {
  const World world;
  NetLoop loop;
  run_to_end(loop, [&]() -> Task<void> {
    const auto silent = co_await connected_pair(loop);
    const auto late = co_await silent.server->accept_tls(*world.server, in_ms(10));
    EXPECT_EQ(late.error().code, Code::timed_out);
    EXPECT_EQ(late.error().what, "TLS handshake: the peer did not answer in time");

    const auto closed = co_await connected_pair(loop);
    static constexpr auto accept = [](Stream& stream, TlsServer& as, Error& error) -> Task<void> {
      error = (co_await stream.accept_tls(as, never)).error();
    };
    Error error;
    TaskGroup group;
    group.spawn(accept(*closed.server, *world.server, error));
    closed.server->close();
    co_await group.join();
    EXPECT_EQ(error.code, Code::closed);

    const auto garbage = co_await connected_pair(loop);
    EXPECT_TRUE((co_await garbage.client->write("EHLO client\r\n", soon())).has_value());
    const auto confused = co_await garbage.server->accept_tls(*world.server, soon());
    EXPECT_EQ(confused.error().code, Code::closed);
    EXPECT_EQ(confused.error().what, "TLS handshake: TLS: wrong version number");

    const auto gone = co_await connected_pair(loop);
    gone.client->close();
    const auto broken = co_await gone.server->accept_tls(*world.server, soon());
    EXPECT_EQ(broken.error().code, Code::closed);
  });
}

TEST(ServerContext, chooses_the_certificate_by_name) {
  const auto first = certificate_for({"first.example.org"});
  auto exact = certificate_for({"mail.example.org"});
  auto wildcard = certificate_for({"ignored.example"});
  wildcard.names = {"*.example.org", "*.EXAMPLE.net"};
  const auto server = ServerContext::make({first, exact, wildcard}, {}).value();
  const auto client = ClientContext::make({}).value();
  const auto served = [&](const std::string& name) {
    return visit(*server, *client, {.server_name = name}).certificate;
  };
  const auto by_default = served("");
  const auto by_name = served("mail.example.org");
  const auto by_wildcard = served("other.example.org");
  EXPECT_NE(by_default, by_name);
  EXPECT_NE(by_default, by_wildcard);
  EXPECT_NE(by_name, by_wildcard);
  struct Case {
    const char* name;
    const std::string& expected;
  };
  for (const auto& [name, expected] : {Case{"first.example.org", by_default},
                                       {"MAIL.Example.ORG", by_name},
                                       {"x.example.net", by_wildcard},
                                       {"two.labels.example.org", by_default},
                                       {"example.org", by_default},
                                       {"ignored.example", by_default},
                                       {"localhost", by_default}})
    EXPECT_EQ(served(name), expected) << name;
}

TEST(ServerContext, tells_what_is_wrong_with_a_certificate) {
  const auto good = certificate_for({"mail.example.org"});
  const auto other = certificate_for({"other.example.org"});
  auto mismatch = good;
  mismatch.key_pem = other.key_pem;
  auto no_key = good;
  no_key.key_pem = "nothing";
  auto no_chain = good;
  no_chain.chain_pem = "";
  auto swapped = good;
  std::swap(swapped.key_pem, swapped.chain_pem);
  struct Case {
    const char* name;
    ServedCertificate certificate;
    const char* error;
  };
  const Case cases[] = {
      {"mismatch",
       mismatch,
       "mail.example.org.pem: the private key does not belong to this certificate"},
      {"no key", no_key, "mail.example.org.pem: its private key cannot be read as unencrypted PEM"},
      {"no chain", no_chain, "mail.example.org.pem: holds no certificate in PEM form"},
      {"swapped", swapped, "mail.example.org.pem: holds no certificate in PEM form"},
      {"expired",
       certificate_for({"old.example.org"}, -3, -1),
       "old.example.org.pem: the certificate has expired; renew it"},
      {"too early",
       certificate_for({"new.example.org"}, 1, 3),
       "new.example.org.pem: the certificate is not valid yet; is the clock right?"},
  };
  const auto server = ServerContext::make({good}, {}).value();
  for (const auto& [name, certificate, error] : cases) {
    const auto made = ServerContext::make({good, certificate}, {});
    ASSERT_FALSE(made) << name;
    EXPECT_EQ(made.error().code, Code::invalid) << name;
    EXPECT_EQ(made.error().what, error) << name;
    EXPECT_EQ(server->replace({certificate}).error().what, error) << name;
  }
  EXPECT_EQ(server->replace({}).error().what, "no certificate to serve");
  const auto client = ClientContext::make({}).value();
  EXPECT_EQ(visit(*server, *client, to_mail).error, "") << "the old list still serves";
}

TEST(ServerContext, replaces_certificates_under_open_connections) {
  World world;
  NetLoop loop;
  run_to_end(loop, [&]() -> Task<void> {
    auto pair = co_await connected_pair(loop);
    EXPECT_TRUE((co_await shake(pair, *world.server, *world.client, to_mail)).client);
    const auto before = pair.client->channel_binding(ChannelBinding::tls_server_end_point);

    EXPECT_TRUE(world.server->replace({certificate_for({"mail.example.org"})}).has_value());
    auto next = co_await connected_pair(loop);
    const auto shaken = co_await shake(next, *world.server, *world.client, to_mail);
    EXPECT_TRUE(shaken.client.has_value());
    EXPECT_NE(next.client->channel_binding(ChannelBinding::tls_server_end_point).value(),
              before.value());

    EXPECT_TRUE((co_await pair.client->write("still here", soon())).has_value());
    EXPECT_EQ(co_await read_text(*pair.server, 10), "still here");
    EXPECT_EQ(pair.server->channel_binding(ChannelBinding::tls_server_end_point).value(),
              before.value());
  });
}

TEST(ServerContext, is_replaced_while_handshakes_run) {
  World world;
  const auto other = certificate_for({"mail.example.org"});
  const std::jthread replacing([&](const std::stop_token& stop) {
    for (int i = 0; !stop.stop_requested(); ++i) {
      EXPECT_TRUE(world.server->replace({i % 2 == 0 ? other : world.certificate}).has_value());
      world.tickets->rotate();
    }
  });
  std::vector<std::jthread> visiting;
  for (int thread = 0; thread < 2; ++thread)
    visiting.emplace_back([&] {
      for (int i = 0; i < 15; ++i)
        EXPECT_EQ(visit(*world.server, *world.client, to_mail_again).error, "");
    });
}

TEST(Resumption, happens_with_tickets_alone) {
  for (const bool old : {false, true}) {
    World world;
    if (old) allow_at_most_tls_1_2(*world.client);
    const auto first = visit(*world.server, *world.client, to_mail_again);
    EXPECT_FALSE(first.client.resumed);
    for (int i = 0; i < 3; ++i) {
      const auto again = visit(*world.server, *world.client, to_mail_again);
      EXPECT_TRUE(again.client.resumed) << i;
      EXPECT_TRUE(again.server.resumed) << i;
      EXPECT_TRUE(again.client.verified) << again.client.verify_error;
      EXPECT_EQ(again.server.server_name, "mail.example.org");
      EXPECT_EQ(again.certificate, first.certificate);
    }
    const auto resumed = [&](const TlsConnectOptions& options) {
      return visit(*world.server, *world.client, options).client.resumed;
    };
    EXPECT_FALSE(resumed(to_mail)) << "no session key";
    EXPECT_FALSE(resumed({.server_name = "mail.example.org", .session_key = "other"}));
    EXPECT_FALSE(resumed({.server_name = "other.example.org", .session_key = "mx"}));

    world.server = ServerContext::make({world.certificate}, {}).value();
    EXPECT_FALSE(resumed(to_mail_again)) << "a server without tickets opens none";
    world.client = world.trusting(world.certificate);
    if (old) allow_at_most_tls_1_2(*world.client);
    EXPECT_FALSE(resumed(to_mail_again));
    EXPECT_FALSE(resumed(to_mail_again)) << "nor does it give any";
  }
}

TEST(Resumption, works_on_another_listener_with_the_same_keys_and_certificates) {
  const World world;
  visit(*world.server, *world.client, to_mail_again);
  const auto other = ServerContext::make({world.certificate}, {.tickets = world.tickets}).value();
  EXPECT_TRUE(visit(*other, *world.client, to_mail_again).client.resumed);
}

TEST(Resumption, ends_with_the_certificate_it_began_under) {
  for (const bool old : {false, true}) {
    World world;
    if (old) allow_at_most_tls_1_2(*world.client);
    const auto first = visit(*world.server, *world.client, to_mail_again);
    EXPECT_TRUE(world.server->replace({certificate_for({"mail.example.org"})}).has_value());
    const auto next = visit(*world.server, *world.client, to_mail_again);
    EXPECT_EQ(next.error, "");
    EXPECT_FALSE(next.client.resumed);
    EXPECT_NE(next.certificate, first.certificate);
  }
}

TEST(Resumption, outlasts_two_new_ticket_keys_but_not_three) {
  for (const bool old : {false, true}) {
    for (const int rotations : {1, 2, 3}) {
      const World world;
      if (old) allow_at_most_tls_1_2(*world.client);
      visit(*world.server, *world.client, to_mail_again);
      for (int i = 0; i < rotations; ++i) world.tickets->rotate();
      const bool resumed = visit(*world.server, *world.client, to_mail_again).client.resumed;
      EXPECT_EQ(resumed, rotations < 3) << rotations;
      // The session was sealed anew: it lasts as long again. Under TLS 1.2 OpenSSL's client does
      // not hand out the new ticket of a resumed session.
      for (int i = 0; i < 2; ++i) world.tickets->rotate();
      const bool again = visit(*world.server, *world.client, to_mail_again).client.resumed;
      EXPECT_EQ(again, !old || rotations == 3) << rotations;
    }
  }
}

TEST(Resumption, ends_when_the_ticket_keys_are_older_than_their_life) {
  World world;
  world.tickets = std::make_shared<TicketKeys>(Duration(-1));  // each use makes a new key
  world.server = ServerContext::make({world.certificate}, {.tickets = world.tickets}).value();
  allow_at_most_tls_1_2(*world.client);
  visit(*world.server, *world.client, to_mail_again);
  EXPECT_TRUE(visit(*world.server, *world.client, to_mail_again).client.resumed);
  world.tickets->rotate();
  world.tickets->rotate();
  EXPECT_FALSE(visit(*world.server, *world.client, to_mail_again).client.resumed);
}

TEST(Resumption, keeps_the_newest_sessions_up_to_its_bound) {
  World world;
  world.client =
      ClientContext::make({.trusted_ca_file = world.folder.file("ca.pem"), .sessions_max = 2})
          .value();
  const auto resumed = [&](const char* key) {
    return visit(*world.server,
                 *world.client,
                 {.server_name = "mail.example.org", .session_key = key})
        .client.resumed;
  };
  EXPECT_FALSE(resumed("a"));
  EXPECT_FALSE(resumed("b"));
  EXPECT_TRUE(resumed("a"));
  EXPECT_FALSE(resumed("c"));  // b goes
  EXPECT_TRUE(resumed("a"));
  EXPECT_TRUE(resumed("c"));
  EXPECT_FALSE(resumed("b"));
}

TEST(Verification, is_reported_and_enforced_where_required) {
  const World world;
  auto sold_elsewhere = certificate_for({"mail.example.org"});
  const auto stranger = ServerContext::make({sold_elsewhere}, {.tickets = world.tickets}).value();
  struct Case {
    const char* name;
    TlsServer& server;
    std::string server_name;
    std::string error;  // empty: it verifies
  };
  const Case cases[] = {
      {"good", *world.server, "mail.example.org", ""},
      {"other case", *world.server, "MAIL.example.org", ""},
      {"wrong name", *world.server, "www.example.org", "hostname mismatch"},
      {"an address", *world.server, "192.0.2.1", "IP address mismatch"},
      {"unknown issuer", *stranger, "mail.example.org", "self-signed certificate"},
  };
  for (const auto& [name, server, server_name, error] : cases) {
    TlsConnectOptions options{.server_name = server_name, .session_key = "mx"};
    const auto reported = visit(server, *world.client, options);
    EXPECT_EQ(reported.error, "") << name;
    EXPECT_EQ(reported.client.verified, error.empty()) << name;
    EXPECT_EQ(reported.client.verify_error, error) << name;
    // A session made without the requirement does not get around it.
    options.verification_required = true;
    const auto enforced = visit(server, *world.client, options);
    EXPECT_EQ(enforced.error,
              error.empty() ? "" : "TLS handshake: TLS: certificate verify failed (" + error + ")")
        << name;
    EXPECT_FALSE(enforced.client.resumed) << name;
    const auto enforced_again = visit(server, *world.client, options);
    EXPECT_EQ(enforced_again.client.resumed, error.empty()) << name;
  }
}

TEST(Verification, holds_an_expired_certificate_against_the_server) {
  // Our own server refuses to serve one, so it is made to: the client's clock is what differs.
  const World world;
  const auto prepared = tls::prepare_client(*world.client, -1, {}, "");
  X509_VERIFY_PARAM_set_time(SSL_CTX_get0_param(SSL_get_SSL_CTX(prepared.ssl.get())),
                             std::chrono::system_clock::to_time_t(days_from_now(30)));
  const auto late = visit(*world.server, *world.client, to_mail);
  EXPECT_FALSE(late.client.verified);
  EXPECT_EQ(late.client.verify_error, "certificate has expired");
}

TEST(ClientContext, names_the_file_it_cannot_trust) {
  const Folder folder;
  for (const char* name : {"missing.pem", "empty.pem"}) {
    if (std::string_view(name) == "empty.pem") folder.write(name, "no certificate\n");
    const auto made = ClientContext::make({.trusted_ca_file = folder.file(name)});
    ASSERT_FALSE(made) << name;
    EXPECT_EQ(made.error().code, Code::invalid);
    EXPECT_TRUE(made.error().what.starts_with("the trusted certificates cannot be read from " +
                                              folder.file(name) + ": "))
        << made.error().what;
  }
}

}  // namespace
}  // namespace tapal
