// Answers datagrams, one question one answer: for a small DNS server in demonstrations and tests.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/ip_address.h"
#include "base/result.h"
#include "drivers/net/loop.h"

namespace tapal {

class UdpServer {
 public:
  // Called on the loop's thread; `datagram` does not outlive the call. Nothing: no answer is sent.
  using Handler =
      std::move_only_function<std::optional<std::string>(std::string_view datagram, Endpoint from)>;

  // Port 0: the kernel picks one. Errors as ListenSocket::tcp, without the process.
  static Result<std::unique_ptr<UdpServer>> bind(NetLoop& loop, Endpoint at, Handler handler);
  ~UdpServer();  // closes

  Endpoint local() const;
  void close();  // on the loop's thread, or when it does not run

 private:
  struct State;
  explicit UdpServer(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace tapal
