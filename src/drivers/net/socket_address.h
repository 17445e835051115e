// Inside drivers/net only: endpoints as the kernel has them.
#pragma once

#include <string_view>

#include <sys/socket.h>

#include "base/ip_address.h"
#include "base/result.h"

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

// Why the kernel lets nobody listen there: denied, try_later (in use) or invalid.
Error listen_error(std::string_view where, int number);

}  // namespace tapal
