#include "drivers/net/http_server.h"

#include <array>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "ports/test_fakes.h"
#include "ports/test_loop.h"
#include "ports/test_stream.h"

namespace tapal {
namespace {

using http::Url;
using std::chrono::seconds;

struct NoTls final : TlsClient, TlsServer {};

// Says what it was asked.
struct Mirror final : HttpHandler {
  Task<http::Response> answer(Loop&, http::Request request) override {
    asked.push_back(request.method + " " + request.url.authority() + request.url.target);
    const auto* const scheme = request.url.scheme == Url::Scheme::https ? "https " : "http ";
    co_return http::Response{200,
                             {{"X-Header", std::string(request.header("x-header"))}},
                             padding + scheme + asked.back() + " " + request.body};
  }
  std::vector<std::string> asked;
  std::string padding;
};

struct World {
  VirtualLoop loop;
  RecordingLog log;
  Mirror mirror;
  ConnectionCount connections{{.all_max = 10, .per_address_max = 5}};
  NoTls tls;
  HttpServer server{{loop, loop, log, mirror, connections, tls}};

  ~World() { loop.wait(server.stop()); }
};

Task<void> collect(Stream& stream, std::string& into, bool& closed) {
  std::array<char, 4096> buffer{};
  for (;;) {
    const auto count = co_await stream.read(buffer, never);
    if (!count) break;
    into.append(buffer.data(), *count);
  }
  closed = true;
}

// One client, whose answers are collected while the loop runs.
class Client {
 public:
  explicit Client(World& world, PipeOptions options = {}, Url::Scheme scheme = Url::Scheme::http)
      : world_(world) {
    auto pair = PipeStream::make(world.loop, std::move(options));
    stream_ = std::move(pair.client);
    world.server.begin(scheme, std::move(pair.server));
  }
  ~Client() { close(); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void listen() {
    if (tasks_.running() == 0) tasks_.spawn(collect(*stream_, answers, closed));
  }
  void say(std::string_view text) {
    listen();
    static_cast<void>(world_.loop.wait(stream_->write(text, never)));
    world_.loop.run();
  }
  void close() {
    stream_->close();
    world_.loop.run();
  }
  PipeStream& stream() { return *stream_; }

  std::string answers;
  bool closed = false;

 private:
  World& world_;
  std::unique_ptr<PipeStream> stream_;
  TaskGroup tasks_;
};

std::string statuses(std::string_view answers) {
  std::string found;
  constexpr std::string_view version = "HTTP/1.1 ";
  for (auto at = answers.find(version); at != answers.npos; at = answers.find(version, at + 1))
    found += (found.empty() ? "" : " ") + std::string(answers.substr(at + version.size(), 3));
  return found;
}

const std::string get = "GET /a?b HTTP/1.1\r\nHost: Web.example\r\nX-Header: one\r\n\r\n";
const std::string post =
    "POST /p HTTP/1.1\r\nHost: web.example:8080\r\nContent-Length: 5\r\n\r\nhello";
const std::string chunked =
    "POST /c HTTP/1.1\r\nHost: web.example\r\nTransfer-Encoding: chunked\r\n\r\n"
    "3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n";

TEST(HttpServer, answers_a_request) {
  World world;
  Client client(world);
  client.say(get);
  EXPECT_EQ(client.answers,
            "HTTP/1.1 200 OK\r\nDate: Sun, 22 Nov 2026 01:00:00 GMT\r\nContent-Length: 25\r\n"
            "X-Header: one\r\n\r\nhttp GET web.example/a?b ");
  EXPECT_FALSE(client.closed);
  client.say(post);
  EXPECT_TRUE(client.answers.ends_with("http POST web.example:8080/p hello")) << client.answers;
}

TEST(HttpServer, answers_the_same_however_the_bytes_come) {
  const std::string all = get + post + chunked + get;
  std::string whole;
  {
    World world;
    Client client(world);
    client.say(all);
    whole = client.answers;
    EXPECT_EQ(world.mirror.asked.size(), 4U);
    EXPECT_EQ(statuses(whole), "200 200 200 200");
  }
  for (std::size_t cut = 1; cut < all.size(); ++cut) {
    World world;
    Client client(world);
    client.say(all.substr(0, cut));
    client.say(all.substr(cut));
    ASSERT_EQ(client.answers, whole) << "cut at " << cut;
  }
  World world;
  Client client(world, {.read_bytes_max = 1});
  client.say(all);
  EXPECT_EQ(client.answers, whole);
}

TEST(HttpServer, ends_with_a_client_that_ends_anywhere) {
  const std::string all = get + chunked;
  for (std::size_t cut = 0; cut < all.size(); ++cut) {
    World world;
    {
      Client client(world);
      client.stream().cut_after(cut);
      client.say(all);
    }
    world.loop.run();
    EXPECT_EQ(world.server.count(), 0U) << "cut at " << cut;
    EXPECT_EQ(world.connections.count(), 0U) << "cut at " << cut;
  }
}

TEST(HttpServer, refuses_what_is_no_request_of_its_kind) {
  struct Case {
    std::string_view name;
    std::string text;
    std::string_view status;
  };
  const std::string host = "Host: web.example\r\n";
  const Case cases[] = {
      {"no host", "GET / HTTP/1.1\r\n\r\n", "400"},
      {"two hosts", "GET / HTTP/1.1\r\n" + host + host + "\r\n", "400"},
      {"a path in the host", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "400"},
      {"no path", "GET * HTTP/1.1\r\n" + host + "\r\n", "400"},
      {"no method", " / HTTP/1.1\r\n" + host + "\r\n", "400"},
      {"no HTTP", "EHLO client.example\r\nMAIL FROM:<>\r\n\r\n", "400"},
      {"a TLS hello", std::string("\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\r\n\r\n", 15), "400"},
      {"HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505"},
      {"another method", "DELETE / HTTP/1.1\r\n" + host + "\r\n", "405"},
      {"a tunnel", "CONNECT a.example:25 HTTP/1.1\r\n" + host + "\r\n", "405"},
      {"a length that is none", "POST / HTTP/1.1\r\n" + host + "Content-Length: x\r\n\r\n", "400"},
      {"two lengths",
       "POST / HTTP/1.1\r\n" + host + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
       "400"},
      {"a length and chunks",
       "POST / HTTP/1.1\r\n" + host +
           "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
       "400"},
      {"a broken chunk",
       "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
       "400"},
      {"a large header", "GET / HTTP/1.1\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n", "431"},
      {"a large header without an end", "GET /" + std::string(20'000, 'x'), "431"},
      {"a large body", "POST / HTTP/1.1\r\n" + host + "Content-Length: 65537\r\n\r\n", "413"},
      {"a large body in chunks",
       "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n11170\r\n" +
           std::string(70'000, 'x'),
       "413"},
  };
  for (const auto& [name, text, status] : cases) {
    SCOPED_TRACE(name);
    World world;
    Client client(world);
    client.say(text);
    EXPECT_EQ(statuses(client.answers), status);
    EXPECT_TRUE(world.mirror.asked.empty());
  }
}

TEST(HttpServer, closes_after_a_refusal_when_it_was_heard) {
  World world;
  Client client(world);
  client.say("nonsense\r\n\r\n" + get);
  EXPECT_EQ(statuses(client.answers), "400") << "what follows nonsense is not looked at";
  EXPECT_TRUE(client.answers.contains("Connection: close\r\n"));
  world.loop.run_for(seconds(3));
  EXPECT_TRUE(client.closed);
  EXPECT_EQ(world.server.count(), 0U);
}

TEST(HttpServer, answers_head_without_a_body) {
  World world;
  Client client(world);
  client.say("HEAD / HTTP/1.1\r\nHost: web.example\r\n\r\n");
  EXPECT_TRUE(client.answers.contains("Content-Length: 23\r\n")) << client.answers;
  EXPECT_TRUE(client.answers.ends_with("\r\n\r\n"));
}

TEST(HttpServer, keeps_a_connection_as_the_client_asks) {
  struct Case {
    std::string_view name;
    std::string text;
    bool stays;
  };
  const Case cases[] = {
      {"HTTP/1.1", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", true},
      {"HTTP/1.1, close", "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", false},
      {"HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\n\r\n", false},
  };
  for (const auto& [name, text, stays] : cases) {
    SCOPED_TRACE(name);
    World world;
    Client client(world);
    client.say(text);
    EXPECT_EQ(statuses(client.answers), "200");
    EXPECT_EQ(client.closed, !stays);
    EXPECT_EQ(client.answers.contains("Connection: close\r\n"), !stays);
  }
}

TEST(HttpServer, takes_so_many_requests_on_one_connection) {
  World world;
  Client client(world);
  for (int i = 0; i < 101; ++i) client.say(get);
  EXPECT_EQ(world.mirror.asked.size(), 100U);
  EXPECT_TRUE(client.closed);
}

TEST(HttpServer, asks_for_a_body_that_is_kept_back) {
  World world;
  Client client(world);
  const auto length = post.find("Content-Length");
  client.say(post.substr(0, length) + "Expect: 100-Continue\r\n" +
             post.substr(length, post.size() - length - 5));
  EXPECT_EQ(client.answers, "HTTP/1.1 100 Continue\r\n\r\n");
  client.say("hello");
  EXPECT_EQ(statuses(client.answers), "100 200");
}

// The clients of a slow attack hold a connection for as long as they can.
TEST(HttpServer, waits_so_long_and_no_longer) {
  {
    World world;
    Client client(world);
    client.listen();
    world.loop.run_for(seconds(29));
    EXPECT_FALSE(client.closed);
    world.loop.run_for(seconds(2));
    EXPECT_TRUE(client.closed);
    EXPECT_EQ(client.answers, "") << "who asks nothing is told nothing";
  }
  World world;
  Client client(world);
  seconds passed{0};
  for (const char c : get) {
    if (!client.answers.empty()) break;
    client.say({&c, 1});
    world.loop.run_for(seconds(1));
    ++passed;
  }
  EXPECT_EQ(statuses(client.answers), "408");
  EXPECT_LE(passed, seconds(16));
  world.loop.run_for(seconds(3));
  EXPECT_EQ(world.server.count(), 0U);
}

TEST(HttpServer, gives_up_on_a_client_that_takes_no_answer) {
  World world;
  world.mirror.padding = std::string(10'000, 'x');
  auto pair = PipeStream::make(world.loop, {.window_bytes = 1'000});
  world.server.begin(Url::Scheme::http, std::move(pair.server));
  static_cast<void>(world.loop.wait(pair.client->write(get, never)));
  world.loop.run_for(seconds(29));
  EXPECT_EQ(world.server.count(), 1U);
  world.loop.run_for(seconds(2));
  EXPECT_EQ(world.server.count(), 0U);
}

TEST(HttpServer, has_so_many_connections_and_from_one_address) {
  World world;
  const auto from = [](std::string_view address) {
    PipeOptions options;
    options.client = Endpoint::from_text(address).value();
    return options;
  };
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 6; ++i)
    clients.push_back(std::make_unique<Client>(world, from("192.0.2.1:1")));
  clients.back()->say(get);
  EXPECT_TRUE(clients.back()->closed);
  EXPECT_EQ(world.server.count(), 5U);
  clients.push_back(std::make_unique<Client>(world, from("192.0.2.2:1")));
  clients.back()->say(get);
  EXPECT_EQ(statuses(clients.back()->answers), "200");
  EXPECT_EQ(world.log.count("web connection refused: too many"), 1U);
  clients.clear();
  world.loop.run();
  EXPECT_EQ(world.connections.count(), 0U);
}

TEST(HttpServer, begins_with_a_handshake_for_https) {
  World world;
  Client client(world, {}, Url::Scheme::https);
  ASSERT_TRUE(world.loop.wait(client.stream().connect_tls(world.tls, {}, never)).value());
  client.say(get);
  EXPECT_TRUE(client.answers.ends_with("https GET web.example/a?b ")) << client.answers;

  Client silent(world, {}, Url::Scheme::https);
  silent.listen();
  world.loop.run_for(seconds(16));
  EXPECT_TRUE(silent.closed);
}

TEST(HttpServer, cuts_its_connections_when_it_stops) {
  World world;
  Client idle(world);
  Client half(world);
  half.say(get.substr(0, 10));
  idle.listen();
  EXPECT_TRUE(world.loop.wait(world.server.stop()));
  EXPECT_TRUE(idle.closed && half.closed);
  EXPECT_EQ(world.server.count(), 0U);
}

}  // namespace
}  // namespace tapal
