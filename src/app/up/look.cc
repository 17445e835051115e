// What is there before anything is changed: addresses and ports.
#include <algorithm>

#include <fmt/format.h>

#include "app/cli/control_client.h"
#include "app/settings/settings.h"
#include "app/up/up.h"
#include "drivers/net/addresses.h"
#include "drivers/net/listener.h"

namespace tapal::app {
namespace {

constexpr std::uint16_t needed_ports[] = {25, 465, 587};
constexpr std::uint16_t web_ports[] = {80, 443};

Result<void> find_addresses(Up& up) {
  for (const auto& text : up.options.addresses) {
    const auto address = IpAddress::from_text(text);
    if (!address) return fail(Code::invalid, fmt::format("--address {}: not an IP address", text));
    up.addresses.push_back(*address);
  }
  if (up.addresses.empty()) up.addresses = public_addresses();
  if (up.addresses.empty())
    return fail(Code::not_found,
                "this machine has no public address of its own: behind NAT name the one that mail "
                "leaves from, with --address");
  std::vector<std::string> texts;
  texts.reserve(up.addresses.size());
  for (const auto& address : up.addresses) texts.push_back(address.text());
  up.report.tell(Mark::fine, fmt::format("mail leaves from {}", fmt::join(texts, " and ")));
  if (std::ranges::none_of(up.addresses, &IpAddress::is_v4))
    up.report.tell(Mark::trouble,
                   "there is no public IPv4 address: many servers cannot be reached without one");
  return {};
}

Result<void> look_at_ports(Up& up) {
  const auto settings = load_settings(up.common.config);
  if (settings && ask_server(settings->control_socket(), R"({"command":"status"})")) {
    up.report.tell(Mark::fine, "tapal runs here already");
    return {};
  }
  std::string taken;
  for (const auto port : needed_ports)
    if (const auto owner = port_taken_by(port); !owner.empty()) taken += "\n" + owner;
  if (!taken.empty())
    return fail(Code::try_later,
                fmt::format("ports that mail needs are not free; stop what has them and run this "
                            "again:{}",
                            taken));
  up.report.tell(Mark::fine, "ports 25, 465 and 587 are free");
  for (const auto port : web_ports)
    if (const auto owner = port_taken_by(port); !owner.empty())
      up.report.tell(
          Mark::fine,
          fmt::format(
              "port {} is not free ({}): certificates are then proved by DNS", port, owner));
  return {};
}

}  // namespace

std::string port_taken_by(std::uint16_t port) {
  const auto socket = ListenSocket::tcp({IpAddress::v4({0, 0, 0, 0}), port});
  return socket ? std::string() : socket.error().what;
}

Result<void> up_look(Up& up) {
  TAPAL_CHECK(find_addresses(up));
  TAPAL_CHECK(look_at_ports(up));
  return up_outside(up);
}

}  // namespace tapal::app
