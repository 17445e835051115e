#include "drivers/net/http_server.h"

#include <utility>

#include <boost/beast/http/status.hpp>
#include <fmt/format.h>

#include "drivers/net/http_request_reader.h"
#include "drivers/net/tls.h"
#include "values/text/ascii.h"
#include "values/text/date.h"

namespace tapal {
namespace {

namespace beast = boost::beast::http;

using Message = HttpRequestReader::Message;

// RFC 9110 section 5.6.7.
std::string http_date(WallTime time) {
  auto date = text::rfc5322_date(time);
  constexpr std::string_view offset = "+0000";
  return date.replace(date.size() - offset.size(), offset.size(), "GMT");
}

http::Response plain(int status) {
  const auto reason = beast::obsolete_reason(static_cast<beast::status>(status));
  return {status,
          {{"Content-Type", "text/plain; charset=utf-8"}},
          fmt::format("{}\n", std::string_view(reason))};
}

// What the handler is asked; the Error says why it cannot be.
Result<http::Request> request_of(http::Url::Scheme scheme, Message message) {
  if (message.count(beast::field::host) > 1) return fail(Code::invalid, "more than one Host field");
  http::Request request;
  TAPAL_TRY(request.url,
            http::requested_url(scheme, message.target(), message[beast::field::host]));
  request.method = message.method_string();
  for (const auto& field : message)
    request.headers.push_back({std::string(field.name_string()), std::string(field.value())});
  request.body = std::move(message.body());
  return request;
}

bool is_allowed(beast::verb method) {
  return method == beast::verb::get || method == beast::verb::head || method == beast::verb::post;
}

// One connection's requests and answers.
class Exchange {
 public:
  Exchange(const HttpServerWorld& world,
           const HttpServerLimits& limits,
           BufferPool& buffers,
           http::Url::Scheme scheme,
           Stream& stream)
      : world_(world),
        limits_(limits),
        scheme_(scheme),
        stream_(stream),
        reader_(stream, world.loop, buffers, limits_) {}

  Task<void> run() {
    for (std::size_t left = limits_.requests_max; left > 0; --left) {
      auto message = co_await reader_.read();
      if (!message) {
        if (const auto& refusal = message.error()) co_await refuse(*refusal);
        co_return;
      }
      const Manner manner{.has_body = message->method() != beast::verb::head,
                          .goes_on = message->keep_alive() && left > 1};
      const auto response = co_await answer(*std::move(message));
      if (!co_await write(response, manner) || !manner.goes_on) co_return;
    }
  }

 private:
  struct Manner {
    bool has_body = true;
    bool goes_on = true;
  };

  Task<http::Response> answer(Message message) {
    if (!is_allowed(message.method())) {
      auto response = plain(405);
      response.headers.push_back({"Allow", "GET, HEAD, POST"});
      co_return response;
    }
    auto request = request_of(scheme_, std::move(message));
    if (!request) co_return plain(400);
    const auto url = request->url;
    const auto method = request->method;
    auto response = co_await world_.handler.answer(world_.loop, *std::move(request));
    world_.log.write(Level::debug,
                     "web request",
                     {{"peer", stream_.remote().text()},
                      {"method", method},
                      {"host", url.authority()},
                      {"target", text::printable(url.target, 200)},
                      {"status", fmt::to_string(response.status)}});
    co_return response;
  }

  Task<void> refuse(int status) {
    world_.log.write(Level::debug,
                     "web request refused",
                     {{"peer", stream_.remote().text()}, {"status", fmt::to_string(status)}});
    const auto response = plain(status);
    constexpr Manner last{.has_body = true, .goes_on = false};
    if (co_await write(response, last)) co_await reader_.linger();
  }

  Task<bool> write(const http::Response& response, Manner manner) {
    const auto reason = beast::obsolete_reason(static_cast<beast::status>(response.status));
    auto text = fmt::format("HTTP/1.1 {} {}\r\nDate: {}\r\nContent-Length: {}\r\n",
                            response.status,
                            std::string_view(reason),
                            http_date(world_.clock.wall_now()),
                            response.body.size());
    for (const auto& [name, value] : response.headers)
      text += fmt::format("{}: {}\r\n", name, value);
    if (!manner.goes_on) text += "Connection: close\r\n";
    text += "\r\n";
    if (manner.has_body) text += response.body;
    const auto written = co_await stream_.write(text, world_.loop.now() + limits_.answer_max);
    co_return written.has_value();
  }

  const HttpServerWorld& world_;
  const HttpServerLimits& limits_;
  http::Url::Scheme scheme_;
  Stream& stream_;
  HttpRequestReader reader_;
};

}  // namespace

HttpServer::HttpServer(HttpServerWorld world, HttpServerLimits limits)
    : world_(world), limits_(limits) {}

void HttpServer::begin(http::Url::Scheme scheme, std::unique_ptr<Stream> stream) {
  const auto peer = stream->remote().address;
  if (world_.connections.enter(peer) == ConnectionCount::Verdict::admitted)
    return tasks_.spawn(serve(scheme, std::move(stream)));
  world_.log.write(Level::warning, "web connection refused: too many", {{"peer", peer.text()}});
}

Task<void> HttpServer::stop() {
  for (auto* stream : open_) stream->close();
  co_await tasks_.join();
}

// Whether requests follow.
Task<bool> HttpServer::start_tls(Stream& stream) {
  const auto peer = stream.remote().text();
  const auto state =
      co_await stream.accept_tls(world_.tls, world_.loop.now() + limits_.handshake_max);
  if (!state) {
    world_.log.write(
        Level::debug, "web handshake failed", {{"peer", peer}, {"reason", state.error().what}});
    co_return false;
  }
  if (state->protocol != acme_tls_protocol) co_return true;
  // RFC 8737 section 3: the certificate was the answer, nothing follows.
  world_.log.write(Level::info,
                   "certificate challenge answered",
                   {{"peer", peer}, {"host", state->server_name}});
  co_return false;
}

Task<void> HttpServer::serve(http::Url::Scheme scheme, std::unique_ptr<Stream> stream) {
  const auto peer = stream->remote().address;
  open_.insert(stream.get());
  const bool is_secure = scheme == http::Url::Scheme::https;
  if (!is_secure || co_await start_tls(*stream)) {
    Exchange exchange(world_, limits_, buffers_, scheme, *stream);
    co_await exchange.run();
  }
  open_.erase(stream.get());
  stream->close();
  world_.connections.leave(peer);
}

}  // namespace tapal
