#include <functional>

#include <gtest/gtest.h>

#include "drivers/dnsapi/test_script.h"
#include "values/crypto/hash.h"
#include "values/dns/message.h"
#include "values/dns/test_tsig.h"
#include "values/text/base64.h"

namespace tapal::dnsapi {
namespace {

using dns::Type;

const std::string secret = "0123456789abcdef0123456789abcdef";

dns::TsigKey server_key() {
  return {"key.example", "hmac-sha256", [](std::string_view bytes) {
            return std::string(crypto::bytes_of(crypto::hmac_sha256(secret, bytes)));
          }};
}

// What comes in is taken apart: the message without its TSIG record, and that record's MAC.
struct Request {
  std::string message;
  std::string mac;
};

// A server that answers each message by `answer`, over a connection of its own.
class FakeServer final : public Network {
 public:
  Endpoint place;                                     // where it was last asked
  std::function<std::string(const Request&)> answer;  // the whole answer, signed or not
  std::vector<std::string> messages;                  // without their signatures

  Task<Result<std::unique_ptr<Stream>>> connect(Endpoint to,
                                                std::optional<IpAddress>,
                                                Instant) override {
    place = to;
    co_return std::make_unique<Connection>(*this);
  }

 private:
  class Connection final : public Stream {
   public:
    explicit Connection(FakeServer& server) : server_(server) {}
    Task<Result<void>> write(std::string_view bytes, Instant) override {
      // Every request ends in the MAC (32 bytes), its ID, and no error and no other data.
      constexpr std::size_t after_mac = 6;
      const auto message = bytes.substr(2);
      constexpr std::size_t tsig_bytes = 13 + 10 + 13 + 6 + 2 + 2 + 32 + after_mac;
      Request request{std::string(message.substr(0, message.size() - tsig_bytes)),
                      std::string(message.substr(message.size() - after_mac - 32, 32))};
      request.message[11] = static_cast<char>(request.message[11] - 1);
      server_.messages.push_back(request.message);
      const auto out = server_.answer(request);
      dns::append_u16(pending_, static_cast<unsigned>(out.size()));
      pending_ += out;
      co_return Result<void>();
    }
    Task<Result<std::size_t>> read(std::span<char> into, Instant) override {
      const std::size_t size = std::min(into.size(), pending_.size());
      if (size == 0) co_return fail(Code::closed, "the connection is closed");
      std::ranges::copy(pending_.substr(0, size), into.begin());
      pending_.erase(0, size);
      co_return size;
    }
    Task<Result<TlsState>> accept_tls(TlsServer&, Instant) override { co_return TlsState(); }
    Task<Result<TlsState>> connect_tls(TlsClient&, TlsConnectOptions, Instant) override {
      co_return TlsState();
    }
    bool is_tls() const override { return false; }
    Result<std::string> channel_binding(ChannelBinding) const override { return std::string(); }
    Endpoint local() const override { return {}; }
    Endpoint remote() const override { return {}; }
    void close() override {}

   private:
    FakeServer& server_;
    std::string pending_;
  };
};

struct Rfc2136Test : AccountTest {
  FakeServer server;
  std::vector<dns::Record> records;  // of the zone
  dns::Rcode update_rcode = dns::Rcode::no_error;

  Rfc2136Test() {
    open_with({{"server", "192.0.2.53"},
               {"key_name", "Key.example."},
               {"secret", text::to_base64(secret)}});
    server.answer = [this](const Request& request) {
      return signed_reply(request, reply_to(request));
    };
  }
  void open_with(Credentials credentials) {
    World with_server{http, server, resolver, loop, random};
    auto opened = make_dns_account("rfc2136", {std::move(credentials), ""}, with_server);
    ASSERT_TRUE(opened) << opened.error().what;
    account = std::move(*opened);
  }
  std::string signed_reply(const Request& request, std::string reply, unsigned error = 0) {
    const auto now =
        std::chrono::floor<std::chrono::seconds>(loop.wall_now().time_since_epoch()).count();
    dns::TestTsig tsig;
    tsig.signed_at = static_cast<std::uint64_t>(now);
    tsig.error = error;
    tsig.with_mac = error == 0;
    return dns::signed_answer(std::move(reply), tsig, server_key(), request.mac);
  }
  std::string reply_to(const Request& request) {
    if ((request.message[2] >> 3 & 15) == 5) {
      auto reply = request.message.substr(0, 2) + std::string("\xa8\0\0\0\0\0\0\0\0\0", 10);
      reply[3] = static_cast<char>(update_rcode);
      return reply;
    }
    auto message = dns::parse_message(request.message).value();
    message.flags.response = true;
    message.flags.authoritative = true;
    for (const auto& record : records)
      if (record.name == message.questions[0].name && record.type == message.questions[0].type)
        message.answers.push_back(record);
    if (!dns_under_zone(message.questions[0].name)) message.rcode = dns::Rcode::refused;
    return dns::write_message(message).value();
  }
  static bool dns_under_zone(const std::string& name) { return name.ends_with("example.com"); }
  void soa() {
    records.push_back({"example.com",
                       Type::soa,
                       std::chrono::seconds(60),
                       data_from_content(Type::soa, "ns. host. 1 2 3 4 5").value()});
  }
};

TEST_F(Rfc2136Test, finds_the_zone_by_its_soa) {
  soa();
  EXPECT_EQ(find_zone("a.mail.example.com").value(), "example.com");
  EXPECT_EQ(server.place.text(), "192.0.2.53:53");
  EXPECT_EQ(server.messages.size(), 3U);
}

TEST_F(Rfc2136Test, reads_sets) {
  records.push_back(
      {"example.com", Type::mx, std::chrono::seconds(60), dns::MailExchange{10, "m.example.com"}});
  EXPECT_EQ(read("example.com", Type::mx).value(),
            set("example.com", Type::mx, {"10 m.example.com."}, 60));
  EXPECT_TRUE(read("example.com", Type::txt).value().data.empty());
}

TEST_F(Rfc2136Test, writes_all_that_differs_in_one_message) {
  records.push_back({"example.com", Type::txt, std::chrono::seconds(3600), dns::Text{"same"}});
  records.push_back(
      {"example.com", Type::mx, std::chrono::seconds(60), dns::MailExchange{10, "old"}});
  EXPECT_TRUE(write({set("example.com", Type::txt, {"\"same\""}),
                     set("example.com", Type::mx, {"10 m.example.com."}),
                     set("a.example.com", Type::a, {"192.0.2.1"})}));
  ASSERT_EQ(server.messages.size(), 4U);  // three questions, one update
  EXPECT_EQ(server.messages.back().substr(2, 10), std::string("\x28\0\0\1\0\0\0\4\0\0", 10));
}

TEST_F(Rfc2136Test, changes_nothing_where_all_is_there) {
  records.push_back({"example.com", Type::txt, std::chrono::seconds(3600), dns::Text{"same"}});
  EXPECT_TRUE(write({set("example.com", Type::txt, {"\"same\""})}));
  EXPECT_EQ(server.messages.size(), 1U);
}

TEST_F(Rfc2136Test, tells_each_refusal_by_its_code) {
  struct Case {
    dns::Rcode rcode;
    Code code;
    const char* what;
  };
  const Case cases[] = {
      {dns::Rcode::refused,
       Code::denied,
       "DNS server 192.0.2.53:53: REFUSED, its log says why: may the key \"key.example\" "
       "update this zone, and has the target of every MX in it an address?"},
      {dns::Rcode::not_authoritative,
       Code::not_found,
       "DNS server 192.0.2.53:53: NOTAUTH; it is not the primary of this zone"},
      {dns::Rcode::server_failure,
       Code::try_later,
       "DNS server 192.0.2.53:53: SERVFAIL; its log says why"},
      {dns::Rcode::not_implemented, Code::invalid, "DNS server 192.0.2.53:53: NOTIMP"},
  };
  for (const auto& c : cases) {
    update_rcode = c.rcode;
    const auto written = write({set("a.example.com", Type::a, {"192.0.2.1"})});
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().code, c.code);
    EXPECT_EQ(written.error().what, c.what);
  }
  EXPECT_EQ(write({set("a.example.org", Type::a, {"192.0.2.1"})}).error().code, Code::not_found);
}

TEST_F(Rfc2136Test, believes_no_unsigned_answer_and_tells_a_wrong_secret) {
  server.answer = [this](const Request& request) { return reply_to(request); };
  EXPECT_EQ(read("example.com", Type::mx).error().code, Code::denied);
  server.answer = [this](const Request& request) {
    return signed_reply(request, reply_to(request), 16);
  };
  EXPECT_EQ(
      read("example.com", Type::mx).error().what,
      "DNS server 192.0.2.53:53: it has another secret for the key \"key.example\" than this one");
  server.answer = [](const Request&) { return std::string("x"); };
  EXPECT_EQ(read("example.com", Type::mx).error().code, Code::invalid);
}

TEST_F(Rfc2136Test, finds_the_server_by_name_and_port) {
  resolver.address("ns1.example.net", "192.0.2.7");
  open_with({{"server", "ns1.example.net:5353"},
             {"key_name", "key.example"},
             {"secret", text::to_base64(secret)}});
  EXPECT_TRUE(read("example.com", Type::mx));
  EXPECT_EQ(server.place.text(), "192.0.2.7:5353");
  resolver.failure = Error{Code::try_later, "no answer"};
  EXPECT_EQ(read("example.com", Type::mx).error().what, "DNS server ns1.example.net: no answer");
}

TEST_F(Rfc2136Test, refuses_credentials_that_cannot_be) {
  const Credentials good = {{"server", "192.0.2.53"}, {"key_name", "k"}, {"secret", "c2VjcmV0"}};
  const std::pair<std::string, std::string> wrong[] = {{"server", "192.0.2.1:0"},
                                                       {"server", "a b"},
                                                       {"server", "ns.example:99999"},
                                                       {"key_name", "a..b"},
                                                       {"secret", "not base64!"},
                                                       {"algorithm", "hmac-md5"}};
  for (const auto& [name, value] : wrong) {
    auto credentials = good;
    credentials[name] = value;
    const auto opened = make_dns_account("rfc2136", {credentials, ""}, world);
    ASSERT_FALSE(opened) << name << " " << value;
    EXPECT_EQ(opened.error().code, Code::invalid);
    if (name == "secret") EXPECT_FALSE(opened.error().what.contains(value));
  }
  auto sha512 = good;
  sha512["algorithm"] = "HMAC-SHA512";
  EXPECT_TRUE(make_dns_account("rfc2136", {sha512, ""}, world));
}

}  // namespace
}  // namespace tapal::dnsapi
