// HTTP/1.1 over the streams of one loop: one connection a request, its response read with bounds.
#pragma once

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

  explicit StreamHttpClient(HttpWorld world) : world_(world) {}

  Task<Result<http::Response>> send(Loop& loop, HttpRequest request) override;

 private:
  using Connected = Result<std::unique_ptr<Stream>>;
  Task<Result<http::Response>> run(HttpRequest request);
  Task<Connected> connect(http::Url url, Instant deadline);
  Task<Result<std::vector<IpAddress>>> addresses_of(std::string host);

  HttpWorld world_;
};

}  // namespace tapal
