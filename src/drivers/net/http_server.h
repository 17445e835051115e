// HTTP/1.1 and 1.0 as a server (RFC 9112), over the streams of one loop: bounds on everything that
// comes in, one request after the other. What is answered is a handler's.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <set>

#include "base/buffer_pool.h"
#include "base/connection_count.h"
#include "base/task.h"
#include "ports/clock.h"
#include "ports/http_handler.h"
#include "ports/log.h"
#include "ports/loop.h"
#include "ports/stream.h"

namespace tapal {

struct HttpServerLimits {
  std::size_t header_bytes_max = 16UL * 1024;  // request line and fields
  std::size_t body_bytes_max = 64UL * 1024;
  std::size_t requests_max = 100;  // on one connection
  std::chrono::seconds handshake_max{15};
  std::chrono::seconds idle_max{30};     // until a request begins
  std::chrono::seconds request_max{15};  // from its first byte to its last
  std::chrono::seconds answer_max{30};   // until the client has taken an answer
};

// References must outlive the server. `tls` is for connections to https.
struct HttpServerWorld {
  Loop& loop;
  Clock& clock;
  Log& log;
  HttpHandler& handler;
  ConnectionCount& connections;
  TlsServer& tls;
};

// Belongs to its loop.
class HttpServer {
 public:
  explicit HttpServer(HttpServerWorld world, HttpServerLimits limits = {});

  // `scheme`: http, or https, which begins with a handshake.
  void begin(http::Url::Scheme scheme, std::unique_ptr<Stream> stream);
  Task<void> stop();  // cuts every connection
  std::size_t count() const { return open_.size(); }

 private:
  Task<void> serve(http::Url::Scheme scheme, std::unique_ptr<Stream> stream);
  Task<bool> start_tls(Stream& stream);

  static constexpr std::size_t piece_bytes = 4UL * 1024;

  HttpServerWorld world_;
  HttpServerLimits limits_;
  BufferPool buffers_{piece_bytes};
  std::set<Stream*> open_;
  TaskGroup tasks_;
};

}  // namespace tapal
