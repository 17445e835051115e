#include "app/server/handed_sockets.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "drivers/system/service_manager.h"

namespace tapal::app {
namespace {

struct Use {
  std::string_view name;
  std::uint16_t port;
};
constexpr auto uses = std::to_array<Use>(
    {{"smtp", 25}, {"submission", 587}, {"submissions", 465}, {"http", 80}, {"https", 443}});

Result<std::string> use_of(const std::string& name, const ListenSocket& socket) {
  for (const auto& use : uses)
    if (name == use.name) return name;
  for (const auto& use : uses)
    if (socket.local().port == use.port) return std::string(use.name);
  return fail(Code::invalid,
              fmt::format("systemd hands over a socket at {} named \"{}\", which has no use here: "
                          "set FileDescriptorName= in its unit to smtp, submission, submissions, "
                          "http or https",
                          socket.text(),
                          name));
}

}  // namespace

Result<HandedSockets> HandedSockets::take() {
  HandedSockets handed;
  for (const auto& [name, descriptor] : handed_descriptors()) {
    TAPAL_TRY(auto socket, ListenSocket::adopt(descriptor));
    TAPAL_TRY(auto use, use_of(name, socket));
    handed.by_use_[std::move(use)].push_back(std::move(socket));
  }
  return handed;
}

Result<std::vector<ListenSocket>> HandedSockets::open(std::string_view use,
                                                      const std::vector<Endpoint>& endpoints) {
  const auto found = by_use_.find(use);
  if (found == by_use_.end()) return listen_at(endpoints);
  auto sockets = std::move(found->second);
  by_use_.erase(found);
  return sockets;
}

}  // namespace tapal::app
