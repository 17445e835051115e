// Inside drivers/net only: endpoints as the kernel has them.
#pragma once

#include <sys/socket.h>

#include "base/ip_address.h"

namespace tapal {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  explicit SocketAddress(const Endpoint& endpoint);
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

Endpoint endpoint_of(const sockaddr_storage& storage);  // empty for other families
Endpoint local_endpoint(int descriptor);
Endpoint remote_endpoint(int descriptor);

}  // namespace tapal
