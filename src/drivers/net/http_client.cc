#include "drivers/net/http_client.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <fmt/format.h>

#include "values/text/ascii.h"

namespace tapal {
namespace {

namespace beast = boost::beast::http;

using http::Url;
using Response = Result<http::Response>;
using Connection = HttpRequest::Connection;

// A response, and whether the connection can serve another request.
struct Exchanged {
  http::Response response;
  bool may_go_on = false;
};

constexpr std::size_t piece_bytes = 16UL * 1024;
constexpr int interim_responses_max = 8;  // 100 Continue, 103 Early Hints

IpAddress loopback_v6() {
  IpAddress address;
  address.bytes.back() = 1;
  return address;
}

bool is_token(std::string_view text) {
  constexpr std::string_view marks = "!#$%&'*+-.^_`|~";  // RFC 9110 section 5.6.2
  return !text.empty() && std::ranges::all_of(text, [marks](char c) {
    return text::is_alnum(c) || marks.contains(c);
  });
}

bool is_field_value(std::string_view text) {
  return std::ranges::none_of(text,
                              [](char c) { return (c >= 0 && c < ' ' && c != '\t') || c == 127; });
}

// Where a connection leads to and how, for those that are kept.
std::string place_of(const Url& url) {
  return fmt::format("{} {} {}", static_cast<int>(url.scheme), url.socket, url.authority());
}

Result<std::string> head_of(const HttpRequest& request, const Url& url) {
  if (!is_token(request.method)) return fail(Code::invalid, "no such HTTP method can be");
  std::string head = fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\nConnection: {}\r\n",
                                 request.method,
                                 url.target,
                                 url.authority(),
                                 request.connection == Connection::kept ? "keep-alive" : "close");
  for (const auto& [name, value] : request.headers) {
    if (!is_token(name) || !is_field_value(value))
      return fail(
          Code::invalid,
          fmt::format("the header field \"{}\" cannot be sent", text::printable(name, 100)));
    head += fmt::format("{}: {}\r\n", name, value);
  }
  const std::uint64_t size = request.body.size() + (request.more ? request.more->size() : 0);
  if (size > 0 || (request.method != "GET" && request.method != "HEAD"))
    head += fmt::format("Content-Length: {}\r\n", size);
  return head + "\r\n";
}

Task<Result<void>> write_request(Stream& stream,
                                 std::string head,
                                 const HttpRequest& request,
                                 Instant deadline) {
  head += request.body;
  TAPAL_CO_CHECK(co_await stream.write(head, deadline));
  if (!request.more) co_return Result<void>();
  std::vector<char> piece(piece_bytes);
  for (std::uint64_t sent = 0; sent < request.more->size();) {
    TAPAL_CO_TRY(const std::size_t count, request.more->read(sent, piece));
    if (count == 0) co_return fail(Code::internal, "the body to be sent ends early");
    const std::string_view bytes(piece.data(), count);
    TAPAL_CO_CHECK(co_await stream.write(bytes, deadline));
    sent += count;
  }
  co_return Result<void>();
}

// Beast's parser fed from a stream.
class ResponseReader {
 public:
  ResponseReader(Stream& stream, const HttpRequest& request) : stream_(stream), request_(request) {}

  Task<Result<Exchanged>> read(Instant deadline) {
    for (int interim = 0; interim <= interim_responses_max; ++interim) {
      Parser parser;
      parser.eager(true);
      parser.header_limit(StreamHttpClient::header_bytes_max);
      parser.body_limit(request_.response_bytes_max);
      parser.skip(request_.method == "HEAD");
      TAPAL_CO_CHECK(co_await fill(parser, deadline));
      const bool may_go_on = parser.keep_alive() && pending_.empty();
      auto message = parser.release();
      if (message.result_int() < 200) continue;
      Exchanged exchanged{response_of(std::move(message)), may_go_on};
      co_return exchanged;
    }
    co_return fail(Code::closed, "the server says \"continue\" again and again");
  }

 private:
  using Parser = beast::response_parser<beast::string_body>;

  static http::Response response_of(Parser::value_type message) {
    http::Response response;
    response.status = static_cast<int>(message.result_int());
    for (const auto& field : message)
      response.headers.push_back({std::string(field.name_string()), std::string(field.value())});
    response.body = std::move(message.body());
    return response;
  }

  static std::unexpected<Error> trouble(const boost::system::error_code& error) {
    const bool too_long = error == beast::error::body_limit ||
                          error == beast::error::header_limit ||
                          error == beast::error::buffer_overflow;
    return fail(too_long ? Code::full : Code::closed,
                too_long ? "the response is longer than allowed"
                         : "the response is broken: " + error.message());
  }

  Task<Result<void>> fill(Parser& parser, Instant deadline) {
    std::vector<char> piece(piece_bytes);
    for (;;) {
      boost::system::error_code error;
      const auto used = parser.put(boost::asio::buffer(pending_), error);
      pending_.erase(0, used);
      if (error && error != beast::error::need_more) co_return trouble(error);
      if (parser.is_done()) co_return Result<void>();
      const auto count = co_await stream_.read(piece, deadline);
      if (count) {
        pending_.append(piece.data(), *count);
        continue;
      }
      if (count.error().code != Code::closed) co_return std::unexpected(count.error());
      if (!parser.got_some() && pending_.empty())
        co_return fail(Code::closed, "the server closed the connection without a response");
      parser.put_eof(error);
      if (error) co_return trouble(error);
      co_return Result<void>();
    }
  }

  Stream& stream_;
  const HttpRequest& request_;
  std::string pending_;  // read, not yet understood
};

// What the server says counts, even where it did not want the whole request (413, 401).
Task<Result<Exchanged>> exchange(Stream& stream,
                                 std::string head,
                                 const HttpRequest& request,
                                 Instant deadline) {
  const auto written = co_await write_request(stream, std::move(head), request, deadline);
  if (!written && written.error().code != Code::closed) co_return std::unexpected(written.error());
  ResponseReader reader(stream, request);
  auto response = co_await reader.read(deadline);
  if (!response && !written) co_return std::unexpected(written.error());
  if (response && !written) response->may_go_on = false;
  co_return response;
}

}  // namespace

Task<Response> StreamHttpClient::send(Loop& loop, HttpRequest request) {
  if (&loop == &world_.home) co_return co_await run(std::move(request));
  co_await switch_to(world_.home);
  auto response = co_await run(std::move(request));
  co_await switch_to(loop);
  co_return response;
}

Task<Response> StreamHttpClient::run(HttpRequest request) {
  TAPAL_CO_TRY(const auto url, http::parse_url(request.url));
  TAPAL_CO_TRY(const auto head, head_of(request, url));
  const auto deadline = world_.home.now() + request.time_max;
  const bool may_keep = request.connection == Connection::kept;
  const auto server = place_of(url);
  auto stream = may_keep ? take_idle(server) : nullptr;
  for (;;) {
    const bool is_new = stream == nullptr;
    if (is_new) {
      TAPAL_CO_TRY(stream, co_await connect(url, deadline));
    }
    auto exchanged = co_await exchange(*stream, head, request, deadline);
    if (exchanged) {
      if (may_keep && exchanged->may_go_on)
        keep(server, std::move(stream));
      else
        stream->close();
      co_return std::move(exchanged->response);
    }
    stream->close();
    stream.reset();
    auto& error = exchanged.error();
    if (!is_new && error.code == Code::closed) continue;  // it was closed while nobody looked
    error.what = fmt::format("{}: {}", url.authority(), error.what);
    co_return std::unexpected(std::move(error));
  }
}

std::unique_ptr<Stream> StreamHttpClient::take_idle(const std::string& server) {
  const auto oldest = world_.home.now() - idle_time_max;
  std::erase_if(idle_, [oldest](const Idle& idle) { return idle.since < oldest; });
  for (auto at = idle_.rbegin(); at != idle_.rend(); ++at) {
    if (at->server != server) continue;
    auto stream = std::move(at->stream);
    idle_.erase(std::next(at).base());
    return stream;
  }
  return nullptr;
}

void StreamHttpClient::keep(std::string server, std::unique_ptr<Stream> stream) {
  if (idle_.size() >= idle_connections_max) idle_.erase(idle_.begin());
  idle_.push_back({std::move(server), std::move(stream), world_.home.now()});
}

Task<Result<std::vector<IpAddress>>> StreamHttpClient::addresses_of(std::string host) {
  std::vector<IpAddress> addresses;
  if (const auto literal = IpAddress::from_text(host)) addresses.push_back(*literal);
  if (host == "localhost")  // RFC 6761 section 6.3: never a question for DNS
    addresses = {IpAddress::v4({127, 0, 0, 1}), loopback_v6()};
  if (!addresses.empty()) co_return addresses;
  std::string trouble = "has no address";
  for (const auto type : {dns::Type::a, dns::Type::aaaa}) {
    const auto answer = co_await world_.resolver.resolve(world_.home, host, type);
    if (!answer) {
      trouble = answer.error().what;
      continue;
    }
    for (const auto& record : answer->records)
      if (const auto* address = std::get_if<IpAddress>(&record.data)) addresses.push_back(*address);
  }
  if (addresses.empty()) co_return fail(Code::try_later, fmt::format("{}: {}", host, trouble));
  if (addresses.size() > addresses_max) addresses.resize(addresses_max);
  co_return addresses;
}

Task<StreamHttpClient::Connected> StreamHttpClient::connect(Url url, Instant deadline) {
  if (url.scheme == Url::Scheme::http_unix) {
    auto stream = co_await world_.network.connect_unix(url.socket, deadline);
    if (!stream && stream.error().code != Code::timed_out) stream.error().code = Code::try_later;
    co_return stream;
  }
  TAPAL_CO_TRY(const auto addresses, co_await addresses_of(url.host));
  Connected last = fail(Code::try_later, "");
  for (std::size_t i = 0; i < addresses.size() && !last; ++i) {
    // A host that does not answer leaves time for the next.
    const auto now = world_.home.now();
    const auto until = now + (deadline - now) / static_cast<int>(addresses.size() - i);
    const Endpoint to{addresses[i], url.port};
    last = co_await world_.network.connect(to, std::nullopt, until);
  }
  if (!last) {
    if (last.error().code != Code::timed_out) last.error().code = Code::try_later;
    co_return last;
  }
  if (url.scheme == Url::Scheme::https) {
    TlsConnectOptions options;
    options.server_name = url.host;
    options.session_key = "https:" + url.authority();
    options.verification_required = true;
    auto& stream = **last;
    const auto state = co_await stream.connect_tls(world_.tls, std::move(options), deadline);
    if (!state) co_return std::unexpected(state.error());
  }
  co_return last;
}

}  // namespace tapal
