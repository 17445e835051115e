// Inside drivers/net only: the requests of one connection, read one by one with Beast's parser.
#pragma once

#include <expected>
#include <optional>
#include <string>

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "base/buffer_pool.h"
#include "drivers/net/http_server.h"

namespace tapal {

class HttpRequestReader {
 public:
  // All must outlive it.
  HttpRequestReader(Stream& stream, Loop& loop, BufferPool& buffers, const HttpServerLimits& limits)
      : stream_(stream), loop_(loop), buffers_(buffers), limits_(limits) {}

  // One request whole, as it came.
  using Message = boost::beast::http::request<boost::beast::http::string_body>;
  // What to say to a client whose request was not taken; nothing: it is gone.
  using Refusal = std::optional<int>;  // a status
  Task<std::expected<Message, Refusal>> read();

  // After a refusal: reads on for a moment, so that the answer is not lost with what the client is
  // still sending (RFC 9112 section 9.6).
  Task<void> linger();

 private:
  using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;
  Task<Result<void>> read_more(Instant deadline);
  Task<void> invite_body(const Parser& parser, Instant deadline);

  Stream& stream_;
  Loop& loop_;
  BufferPool& buffers_;
  const HttpServerLimits& limits_;
  std::string pending_;  // read, not yet understood: what follows a request, at most
  bool invited_ = false;
};

}  // namespace tapal
