#include "drivers/net/addresses.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <optional>

#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "drivers/net/owned_descriptor.h"
#include "drivers/net/socket_address.h"

namespace tapal {
namespace {

std::optional<IpAddress> from_socket_address(const sockaddr* from) {
  if (from == nullptr) return {};
  if (from->sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, from, sizeof v4);
    std::array<std::uint8_t, 4> octets{};
    std::memcpy(octets.data(), &v4.sin_addr, octets.size());
    return IpAddress::v4(octets);
  }
  if (from->sa_family != AF_INET6) return {};
  sockaddr_in6 v6{};
  std::memcpy(&v6, from, sizeof v6);
  IpAddress address;
  std::memcpy(address.bytes.data(), &v6.sin6_addr, address.bytes.size());
  return address;
}

}  // namespace

std::vector<IpAddress> local_addresses() {
  std::vector<IpAddress> addresses;
  ifaddrs* first = nullptr;
  if (getifaddrs(&first) != 0) return addresses;
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owner(first, &freeifaddrs);
  for (const auto* interface = first; interface != nullptr; interface = interface->ifa_next)
    if ((interface->ifa_flags & IFF_UP) != 0)
      if (const auto address = from_socket_address(interface->ifa_addr))
        addresses.push_back(*address);
  return addresses;
}

std::vector<IpAddress> public_addresses() {
  auto addresses = local_addresses();
  std::erase_if(addresses, [](const IpAddress& address) { return address.is_private(); });
  return addresses;
}

std::optional<IpAddress> address_towards(const IpAddress& peer) {
  constexpr std::uint16_t any_port = 25;
  const SocketAddress to({peer, any_port});
  const OwnedDescriptor socket(::socket(to.get()->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (socket.number() < 0 || ::connect(socket.number(), to.get(), to.size) != 0) return {};
  return local_endpoint(socket.number()).address;
}

Result<std::vector<IpAddress>> addresses_of(const std::string& host) {
  if (const auto literal = IpAddress::from_text(host)) return std::vector{*literal};
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* first = nullptr;
  if (const int error = getaddrinfo(host.c_str(), nullptr, &hints, &first); error != 0)
    return fail(Code::not_found, host + ": " + gai_strerror(error));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(first, &freeaddrinfo);
  std::vector<IpAddress> addresses;
  for (const auto* entry = first; entry != nullptr; entry = entry->ai_next)
    if (const auto address = from_socket_address(entry->ai_addr))
      if (std::ranges::find(addresses, *address) == addresses.end()) addresses.push_back(*address);
  return addresses;
}

}  // namespace tapal
