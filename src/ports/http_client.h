// Requests to HTTP servers: filters, webhooks, certificate authorities, DNS providers.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/task.h"
#include "ports/body.h"
#include "ports/loop.h"
#include "values/http/message.h"

namespace tapal {

struct HttpRequest {
  // Whether the connection may serve a later request. Then this one may come over an older one, and
  // is made once more where the server has closed that meanwhile: only for what does no harm twice.
  enum class Connection : std::uint8_t { one_request, kept };

  std::string method = "GET";
  std::string url;  // http://host[:port]/path, https://..., or http+unix:///path/to/socket:/path
  std::vector<http::Header> headers;  // Host, Content-Length and Connection are the client's
  std::string body;
  BodyPtr more;                       // may be null; sent behind `body`
  std::chrono::seconds time_max{30};  // for all of it
  std::size_t response_bytes_max = 1024UL * 1024;
  Connection connection = Connection::one_request;
};

struct HttpClient {
  virtual ~HttpClient() = default;
  // Comes back to `loop`. Whatever status the server gives is a response. Errors: invalid (the
  // URL), closed, timed_out, full (a longer response than allowed), try_later (cannot connect or
  // look up), denied (the certificate does not hold). Redirects are not followed.
  virtual Task<Result<http::Response>> send(Loop& loop, HttpRequest request) = 0;
};

}  // namespace tapal
