// Who answers the requests that HTTP listeners take in.
#pragma once

#include "base/task.h"
#include "ports/loop.h"
#include "values/http/message.h"

namespace tapal {

struct HttpHandler {
  virtual ~HttpHandler() = default;
  // On the connection's loop, `loop`; safe from any. The request's method is GET, HEAD or POST; a
  // HEAD is answered as a GET, its body is left out. Date, Content-Length and Connection are the
  // server's.
  virtual Task<http::Response> answer(Loop& loop, http::Request request) = 0;
};

}  // namespace tapal
