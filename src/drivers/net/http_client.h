// HTTP/1.1 over the streams of one loop: a connection for each request, but for those that let it
// be kept; responses are read with bounds.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "ports/http_client.h"
#include "ports/resolver.h"
#include "ports/stream.h"
#include "values/http/url.h"

namespace tapal {

// All references must outlive it. Requests run on `home`, whatever loop they come back to.
struct HttpWorld {
  Loop& home;
  Network& network;  // of `home`
  Resolver& resolver;
  TlsClient& tls;
};

class StreamHttpClient final : public HttpClient {
 public:
  static constexpr std::size_t header_bytes_max = 64UL * 1024;  // of a response
  static constexpr std::size_t addresses_max = 4;               // of a host are tried
  static constexpr std::size_t idle_connections_max = 8;        // to all servers
  static constexpr std::chrono::seconds idle_time_max{10};

  explicit StreamHttpClient(HttpWorld world) : world_(world) {}

  Task<Result<http::Response>> send(Loop& loop, HttpRequest request) override;

 private:
  using Connected = Result<std::unique_ptr<Stream>>;
  struct Idle {
    std::string server;
    std::unique_ptr<Stream> stream;
    Instant since;
  };
  std::unique_ptr<Stream> take_idle(const std::string& server);  // null: none is fresh enough
  void keep(std::string server, std::unique_ptr<Stream> stream);
  Task<Result<http::Response>> run(HttpRequest request);
  Task<Connected> connect(http::Url url, Instant deadline);
  Task<Result<std::vector<IpAddress>>> addresses_of(std::string host);

  HttpWorld world_;
  std::vector<Idle> idle_;  // the last one used is last
};

}  // namespace tapal
