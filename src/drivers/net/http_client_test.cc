#include "drivers/net/http_client.h"

#include <array>

#include <gtest/gtest.h>

#include "drivers/net/net_test_kit.h"
#include "ports/memory_body.h"
#include "ports/test_fakes.h"
#include "ports/test_loop.h"
#include "ports/test_stream.h"

namespace tapal {
namespace {

using std::chrono::seconds;

struct NoTls final : TlsClient, TlsServer {};

// A server that waits for so many bytes of a request, says its piece, perhaps again, and closes.
class OddServer final : public Network {
 public:
  explicit OddServer(VirtualLoop& loop) : loop_(loop) {}
  Task<Result<std::unique_ptr<Stream>>> connect(Endpoint to,
                                                std::optional<IpAddress>,
                                                Instant deadline) override {
    asked.push_back(to.text());
    if (asked.size() <= silent) {
      const auto timer = loop_.make_timer();
      co_await timer->wait_until(deadline);
      co_return fail(Code::timed_out, "no connection in time");
    }
    co_return open();
  }
  Task<Result<std::unique_ptr<Stream>>> connect_unix(std::string path, Instant) override {
    asked.push_back(std::move(path));
    co_return open();
  }
  Task<void> end() {
    for (auto& server : servers_) server->close();
    co_await tasks_.join();
  }

  std::string answer;
  int answers = 1;  // over one connection
  std::size_t request_bytes_min = 1;
  bool stays_open = false;
  std::uint64_t cut_after = UINT64_MAX;
  PipeOptions options;
  std::size_t silent = 0;  // the first so many addresses do not answer
  std::string request;
  std::vector<std::string> asked;

 private:
  Result<std::unique_ptr<Stream>> open() {
    auto pair = PipeStream::make(loop_, options);
    pair.server->cut_after(cut_after);
    servers_.push_back(std::move(pair.server));
    tasks_.spawn(serve(*servers_.back()));
    return std::move(pair.client);
  }
  Task<void> serve(PipeStream& stream) {
    std::array<char, 4096> buffer{};
    if (uses_tls) static_cast<void>(co_await stream.accept_tls(tls_, never));
    for (int turn = 0; turn < answers; ++turn) {
      const auto awaited = request.size() + request_bytes_min;
      while (request.size() < awaited) {
        const auto count = co_await stream.read(buffer, never);
        if (!count) co_return;
        request.append(buffer.data(), *count);
      }
      static_cast<void>(co_await stream.write(answer, never));
    }
    // The other end reads what is there before it sees the end.
    const auto timer = loop_.make_timer();
    if (!stays_open) co_await timer->wait_until(loop_.now() + seconds(1));
    if (!stays_open) stream.close();
  }

  VirtualLoop& loop_;
  NoTls tls_;
  std::vector<std::unique_ptr<PipeStream>> servers_;
  TaskGroup tasks_;

 public:
  bool uses_tls = false;
};

struct HttpClientTest : testing::Test {
  ~HttpClientTest() override { loop.wait(server.end()); }
  Result<http::Response> ask(HttpRequest request) {
    return loop.wait(client.send(loop, std::move(request))).value();
  }
  Result<http::Response> get(std::string answer) {
    server.answer = std::move(answer);
    HttpRequest request;
    request.url = "http://127.0.0.1:8080/x?y";
    return ask(std::move(request));
  }

  VirtualLoop loop;
  OddServer server{loop};
  TableOfNames names;
  NoTls tls;
  StreamHttpClient client{{loop, server, names, tls}};
};

TEST_F(HttpClientTest, sends_a_request_and_reads_the_response) {
  const auto response =
      get("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: 1\r\nx-a:  2 \r\n\r\nhello");
  ASSERT_TRUE(response) << response.error().what;
  EXPECT_EQ(server.request,
            "GET /x?y HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->body, "hello");
  EXPECT_EQ(response->header("X-a"), "1");
  EXPECT_EQ(response->headers.back(), (http::Header{"x-a", "2"}));
}

TEST_F(HttpClientTest, sends_header_fields_and_a_body_from_two_places) {
  server.answer = "HTTP/1.1 204 No Content\r\n\r\n";
  const std::string large(100'000, 'z');
  HttpRequest request;
  request.method = "POST";
  request.url = "http://mail.example/hook";
  request.headers = {{"X-One", "1"}, {"X-Empty", ""}};
  request.body = "head\r\n";
  request.more = std::make_shared<MemoryBody>(large);
  names.address("mail.example", "192.0.2.7");
  const std::string expected =
      "POST /hook HTTP/1.1\r\nHost: mail.example\r\nConnection: close\r\nX-One: 1\r\nX-Empty: \r\n"
      "Content-Length: 100006\r\n\r\nhead\r\n" +
      large;
  server.request_bytes_min = expected.size();
  EXPECT_EQ(ask(std::move(request))->status, 204);
  EXPECT_EQ(server.request, expected);
  EXPECT_EQ(server.asked, std::vector<std::string>{"192.0.2.7:80"});
}

struct GoodCase {
  const char* name;
  std::string answer;
  int status;
  std::string body;
};

TEST_F(HttpClientTest, understands_every_form_of_a_response) {
  const std::vector<GoodCase> cases = {
      {"with a length", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab", 200, "ab"},
      {"more than its length", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabcd", 200, "ab"},
      {"up to the end", "HTTP/1.1 200 OK\r\n\r\nabc", 200, "abc"},
      {"HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\nabc", 200, "abc"},
      {"in chunks",
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nab\r\n3\r\ncde\r\n0\r\nT: "
       "u\r\n\r\n",
       200,
       "abcde"},
      {"no content", "HTTP/1.1 204 No\r\n\r\n", 204, ""},
      {"an error", "HTTP/1.1 500 Oh\r\nContent-Length: 1\r\n\r\nx", 500, "x"},
      {"a redirect",
       "HTTP/1.1 302 Found\r\nLocation: http://x/\r\nContent-Length: 0\r\n\r\n",
       302,
       ""},
      {"continue first",
       "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 "
       "OK\r\nContent-Length: 1\r\n\r\nx",
       200,
       "x"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    for (const std::size_t piece : {std::size_t{1}, std::size_t{3}, SIZE_MAX}) {
      server.options.read_bytes_max = piece;
      server.request.clear();
      const auto response = get(c.answer);
      ASSERT_TRUE(response) << response.error().what;
      EXPECT_EQ(response->status, c.status);
      EXPECT_EQ(response->body, c.body);
    }
  }
}

struct BadCase {
  const char* name;
  std::string answer;
  Code code;
};

TEST_F(HttpClientTest, gives_up_on_what_is_no_response) {
  std::string endless = "HTTP/1.1 200 OK\r\n";
  for (int i = 0; i < 10'000; ++i) endless += "X-Field: some text\r\n";
  std::string interim;
  for (int i = 0; i < 100; ++i) interim += "HTTP/1.1 100 Continue\r\n\r\n";
  const std::vector<BadCase> cases = {
      {"nothing", "", Code::closed},
      {"another protocol", "220 mail.example ESMTP\r\n", Code::closed},
      {"half a status line", "HTTP/1.1 2", Code::closed},
      {"half a header", "HTTP/1.1 200 OK\r\nContent-Le", Code::closed},
      {"half a body", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", Code::closed},
      {"half a chunk",
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
       Code::closed},
      {"no last chunk",
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n",
       Code::closed},
      {"a chunk of nonsense",
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nab\r\n",
       Code::closed},
      {"two lengths",
       "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
       Code::closed},
      {"a negative length", "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nabcdef", Code::closed},
      {"endless fields", endless, Code::full},
      {"one endless field", "HTTP/1.1 200 OK\r\nX: " + std::string(200'000, 'x'), Code::full},
      {"a body too long", "HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n", Code::full},
      {"chunks too long",
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n200000\r\n" +
           std::string(0x200000, 'x'),
       Code::full},
      {"an end that does not come",
       "HTTP/1.1 200 OK\r\n\r\n" + std::string(0x200000, 'x'),
       Code::full},
      {"continue for ever", interim, Code::closed},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    server.request.clear();
    const auto response = get(c.answer);
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code, c.code) << response.error().what;
    EXPECT_TRUE(response.error().what.starts_with("127.0.0.1:8080: ")) << response.error().what;
  }
}

TEST_F(HttpClientTest, gives_up_when_the_time_is_over) {
  server.stays_open = true;
  const auto before = loop.now();
  EXPECT_EQ(get("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab").error().code, Code::timed_out);
  EXPECT_EQ(loop.now() - before, seconds(30));
}

TEST_F(HttpClientTest, hears_a_server_that_does_not_want_the_whole_request) {
  server.answer = "HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nno!";
  HttpRequest request;
  request.method = "POST";
  request.url = "http://127.0.0.1/";
  request.body = std::string(1'000'000, 'x');
  const auto response = ask(std::move(request));
  ASSERT_TRUE(response) << response.error().what;
  EXPECT_EQ(response->status, 413);
}

TEST_F(HttpClientTest, sends_nothing_that_would_break_the_request) {
  const auto refuse = [this](auto change) {
    HttpRequest request;
    request.url = "http://127.0.0.1/";
    change(request);
    const auto response = ask(std::move(request));
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code, Code::invalid);
  };
  refuse([](HttpRequest& r) { r.url = "ftp://127.0.0.1/"; });
  refuse([](HttpRequest& r) { r.method = "GET /"; });
  refuse([](HttpRequest& r) { r.method = ""; });
  refuse([](HttpRequest& r) { r.headers = {{"A b", "x"}}; });
  refuse([](HttpRequest& r) { r.headers = {{"", "x"}}; });
  refuse([](HttpRequest& r) { r.headers = {{"A", "x\r\nB: y"}}; });
  refuse([](HttpRequest& r) { r.headers = {{"A", std::string("x\0", 2)}}; });
  EXPECT_TRUE(server.asked.empty());
}

struct KeptConnections : HttpClientTest {
  KeptConnections() { server.answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"; }
  std::string get_kept(std::string url = "http://127.0.0.1:8080/x") {
    HttpRequest request;
    request.url = std::move(url);
    request.connection = HttpRequest::Connection::kept;
    const auto response = ask(std::move(request));
    return response ? response->body : response.error().what;
  }
};

TEST_F(KeptConnections, serve_the_next_request_to_the_same_server) {
  server.answers = 2;
  EXPECT_EQ(get_kept(), "hi");
  EXPECT_EQ(get_kept("http://127.0.0.1:8080/y"), "hi");
  EXPECT_EQ(server.asked.size(), 1U);
  EXPECT_TRUE(server.request.contains("GET /y HTTP/1.1\r\n"));
  EXPECT_FALSE(server.request.contains("Connection: close"));
  EXPECT_EQ(get_kept("http://127.0.0.1:8081/x"), "hi");  // another server
  EXPECT_EQ(server.asked.size(), 2U);
}

TEST_F(KeptConnections, are_made_anew_where_the_server_has_closed_them) {
  EXPECT_EQ(get_kept(), "hi");
  loop.run_for(seconds(2));
  EXPECT_EQ(get_kept(), "hi");
  EXPECT_EQ(server.asked.size(), 2U);
}

TEST_F(KeptConnections, are_not_kept_for_long_nor_where_the_server_says_so) {
  server.stays_open = true;
  server.answers = 2;
  EXPECT_EQ(get_kept(), "hi");
  loop.run_for(StreamHttpClient::idle_time_max + seconds(1));
  EXPECT_EQ(get_kept(), "hi");
  EXPECT_EQ(server.asked.size(), 2U);
  server.answer = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi";
  EXPECT_EQ(get_kept(), "hi");
  EXPECT_EQ(get_kept(), "hi");
  EXPECT_EQ(server.asked.size(), 3U);
}

TEST_F(HttpClientTest, tries_the_addresses_of_a_host_and_leaves_time_for_each) {
  server.silent = 1;
  server.answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
  names.address("mail.example", "192.0.2.7");
  names.address("mail.example", "2001:db8::7");
  HttpRequest request;
  request.url = "http://mail.example/";
  EXPECT_EQ(ask(request)->status, 200);
  EXPECT_EQ(server.asked, (std::vector<std::string>{"192.0.2.7:80", "[2001:db8::7]:80"}));
  request.url = "http://nowhere.example/";
  EXPECT_EQ(ask(request).error().code, Code::try_later);
  names.failure = Error{Code::try_later, "no answer"};
  EXPECT_EQ(ask(request).error().what, "nowhere.example: no answer");
  request.url = "http://localhost/";  // DNS is not asked
  EXPECT_EQ(ask(request)->status, 200);
}

TEST_F(HttpClientTest, demands_a_certificate_that_holds) {
  server.uses_tls = true;
  server.answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
  HttpRequest request;
  request.url = "https://127.0.0.1/";
  EXPECT_EQ(ask(request)->status, 200);
  EXPECT_EQ(server.asked.back(), "127.0.0.1:443");
  server.options.certificate_holds = false;
  EXPECT_EQ(ask(request).error().code, Code::denied);
}

TEST_F(HttpClientTest, reaches_a_server_behind_a_unix_socket) {
  server.answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
  HttpRequest request;
  request.url = "http+unix:///run/x.sock:/a";
  EXPECT_EQ(ask(request)->status, 200);
  EXPECT_EQ(server.asked.back(), "/run/x.sock");
  EXPECT_TRUE(server.request.starts_with("GET /a HTTP/1.1\r\nHost: localhost\r\n"));
}

TEST_F(HttpClientTest, comes_back_to_the_loop_it_was_asked_from) {
  VirtualLoop other;
  server.answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
  HttpRequest request;
  request.url = "http://127.0.0.1/";
  std::optional<int> status;
  const auto run = [&]() -> Task<void> {
    const auto response = co_await client.send(other, request);
    status = response->status;
  };
  TaskGroup group;
  group.spawn(run());
  loop.run_for(seconds(2));
  EXPECT_FALSE(status);
  other.run();
  EXPECT_EQ(status, 200);
}

// The same over real sockets and real TLS.
TEST(HttpClientOnSockets, speaks_to_a_server_under_tls) {
  net_test::Folder folder;
  auto certificate = net_test::certificate_for({"localhost"});
  const auto ca = folder.write("ca.pem", certificate.chain_pem);
  const auto context = ServerContext::make({std::move(certificate)}).value();
  const auto trusting = ClientContext::make({.trusted_ca_file = ca}).value();
  const auto distrusting = ClientContext::make({}).value();
  const auto listening = ListenSocket::tcp(net_test::any_v4).value();
  NetLoop loop;
  TableOfNames names;
  const auto serve_one = [&]() -> Task<void> {
    const int accepted =
        ::accept4(listening.descriptor(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    const auto stream = loop.adopt(accepted).value();
    const auto state = co_await stream->accept_tls(*context, net_test::soon());
    if (!state) co_return;
    static_cast<void>(co_await net_test::read_text(*stream, 20));
    const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    static_cast<void>(co_await stream->write(answer, net_test::soon()));
    static_cast<void>(co_await net_test::read_text(*stream, 10'000));
  };
  const auto ask = [&](TlsClient& tls, Result<http::Response>& response) -> Task<void> {
    StreamHttpClient client({loop, loop, names, tls});
    HttpRequest request;
    request.url = fmt::format("https://localhost:{}/", listening.local().port);
    response = co_await client.send(loop, std::move(request));
  };
  Result<http::Response> trusted = fail(Code::internal, "not run");
  Result<http::Response> distrusted = fail(Code::internal, "not run");
  net_test::run_to_end(loop, [&]() -> Task<void> {
    TaskGroup group;
    group.spawn(ask(*trusting, trusted));
    group.spawn(serve_one());
    co_await group.join();
    group.spawn(ask(*distrusting, distrusted));
    group.spawn(serve_one());
    co_await group.join();
  });
  ASSERT_TRUE(trusted) << trusted.error().what;
  EXPECT_EQ(trusted->body, "ok");
  EXPECT_EQ(distrusted.error().code, Code::denied);
}

}  // namespace
}  // namespace tapal
